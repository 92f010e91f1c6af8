"""Limits that a key has of its own, and an index of orders that wait without an expiry, the oldest of which expire as well."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None
needed = True


def upgrade() -> None:
    op.execute("alter table api_keys add column if not exists limits json")
    op.execute("comment on column api_keys.limits is 'auth.limits.Limits: those it has of its own'")
    with op.get_context().autocommit_block():
        op.execute("drop index concurrently if exists orders_waiting_age_idx")
        op.execute(
            "create index concurrently orders_waiting_age_idx on orders (created_at) "
            "where queued_at is null and closed_at is null and expires_at is null"
        )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("drop index concurrently if exists orders_waiting_age_idx")
    op.execute("alter table api_keys drop column limits")
