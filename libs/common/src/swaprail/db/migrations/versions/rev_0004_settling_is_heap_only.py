"""Settling an attempt wrote every index of tx_attempts anew: the state was in the predicate of its unique index.

The evidence is not, for almost every attempt: it is there exactly when the attempt expired.
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None
needed = True


def upgrade() -> None:
    # The guard is never away: the old index goes with the commit that gives its name to the new one.
    with op.get_context().autocommit_block():
        op.execute("drop index concurrently if exists tx_attempts_unexpired_idx")
        op.execute(
            "create unique index concurrently tx_attempts_unexpired_idx on tx_attempts (order_id) "
            "where evidence is null"
        )
        op.execute(
            "alter table tx_attempts drop constraint if exists tx_attempts_proof_check, "
            "add constraint tx_attempts_proof_check check ((state = 'EXPIRED') = (evidence is not null)) not valid"
        )
        op.execute("alter table tx_attempts validate constraint tx_attempts_proof_check")
    op.execute("drop index tx_attempts_one_per_order_idx")
    op.execute("alter index tx_attempts_unexpired_idx rename to tx_attempts_one_per_order_idx")
    op.execute("alter table tx_attempts drop constraint tx_attempts_expired_with_proof_check, set (fillfactor = 50)")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("drop index concurrently if exists tx_attempts_holding_idx")
        op.execute(
            "create unique index concurrently tx_attempts_holding_idx on tx_attempts (order_id) "
            "where state in ('LIVE', 'LANDED')"
        )
    op.execute("drop index tx_attempts_one_per_order_idx")
    op.execute("alter index tx_attempts_holding_idx rename to tx_attempts_one_per_order_idx")
    op.execute(
        "alter table tx_attempts drop constraint tx_attempts_proof_check, "
        "add constraint tx_attempts_expired_with_proof_check check (state <> 'EXPIRED' or evidence is not null), "
        "reset (fillfactor)"
    )
