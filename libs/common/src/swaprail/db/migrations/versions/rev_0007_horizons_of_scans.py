"""Horizons of the scans, and the index by which open orders are looked for."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None
needed = True


def upgrade() -> None:
    op.execute(
        "create table if not exists scan_horizons "
        "(name text primary key, since timestamptz not null, seen_at timestamptz not null, seen_xid bigint not null)"
    )
    op.execute("comment on column scan_horizons.name is 'db.horizons.Scan'")
    op.execute("comment on column scan_horizons.since is 'nothing that is looked for is older'")
    op.execute("comment on column scan_horizons.seen_at is 'when the mark was set that the horizon may move up to'")
    op.execute(
        "comment on column scan_horizons.seen_xid is 'the transaction that set it: later ones began to write later'"
    )
    with op.get_context().autocommit_block():
        op.execute("drop index concurrently if exists orders_open_time_idx")
        op.execute(
            "create index concurrently orders_open_time_idx on orders (coalesce(due_at, queued_at)) "
            "where (queued_at is not null and closed_at is null)::int = 1"
        )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("drop index concurrently if exists orders_open_time_idx")
    op.execute("drop table scan_horizons")
