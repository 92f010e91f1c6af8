"""An index of a wallet's open orders: opening a WebSocket on a large wallet read all of its orders."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None
needed = False


def upgrade() -> None:
    # Concurrently: the engine goes on writing. What an interrupted try left behind is invalid, so it goes first.
    with op.get_context().autocommit_block():
        op.execute("drop index concurrently if exists orders_wallet_open_idx")
        op.execute(
            "create index concurrently orders_wallet_open_idx on orders (account, wallet, id) where closed_at is null"
        )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("drop index concurrently if exists orders_wallet_open_idx")
