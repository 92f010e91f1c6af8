"""The paper chain's latest transactions, for the audit of late orders. A BRIN costs next to nothing: they come in order."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None
needed = False


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("drop index concurrently if exists paper.transactions_received_at_idx")
        op.execute(
            "create index concurrently transactions_received_at_idx on paper.transactions using brin (received_at) "
            "with (autosummarize = on)"
        )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("drop index concurrently if exists paper.transactions_received_at_idx")
