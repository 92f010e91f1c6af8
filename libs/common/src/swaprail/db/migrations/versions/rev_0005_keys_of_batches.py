"""Whether an order's idempotency key came from a batch: `K#0` and the first order of batch `K` are two requests.

Its orders keep these names as long as a version beside this one, in an upgrade, finds a repeated batch by them alone.
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None
needed = True


def upgrade() -> None:
    op.execute("alter table idempotency_keys add column if not exists of_batch boolean")
    op.execute(
        "comment on column idempotency_keys.of_batch is "
        "'whether an order of a batch got it; null where it was not kept, before 0005'"
    )


def downgrade() -> None:
    op.execute("alter table idempotency_keys drop column of_batch")
