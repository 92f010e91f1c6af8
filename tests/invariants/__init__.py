"""What must hold after every whole-system test (I1 to I15 of docs/guarantees.md).

The judge of "executed" is the chain's ledger, never the order table.
"""

from collections.abc import Iterable

import asyncpg

from tests.invariants.attempts import check_attempts
from tests.invariants.keys import Receipt, check_receipts
from tests.invariants.leases import check_leases, check_topics
from tests.invariants.ledger import check_ledger
from tests.invariants.orders import check_histories, check_orders
from tests.invariants.secrets import check_secrets
from tests.invariants.subscribers import Seen, check_subscribers, compact
from tests.invariants.writers import check_writers

__all__ = ["Receipt", "check_invariants", "compact"]


async def check_invariants(
    dsn: str,
    accepted: Iterable[str],
    subscribers: Iterable[Seen] = (),
    *,
    receipts: Iterable[Receipt] = (),
    redis_url: str | None = None,
    texts: Iterable[str] = (),
    secrets: Iterable[str] = (),
) -> None:
    """Raise AssertionError naming every order that breaks an invariant.

    accepted: ids answered with 201 or 202. receipts: what was posted with a key, and answered. redis_url: look at the
    topics as well, once their entries have had time to be claimed. texts: whatever the engine let out (logs, traces,
    metrics), in which neither secrets nor signed bytes may be.
    """
    connection = await asyncpg.connect(dsn)
    try:
        broken = [
            *await check_orders(connection, list(accepted)),
            *await check_histories(connection),
            *await check_ledger(connection),
            *await check_attempts(connection),
            *await check_leases(connection),
            *await check_writers(connection),
            *await check_subscribers(connection, list(subscribers)),
            *await check_receipts(connection, list(receipts)),
            *await check_secrets(connection, list(texts), list(secrets)),
        ]
    finally:
        await connection.close()
    if redis_url is not None:
        broken += await check_topics(redis_url)
    assert not broken, f"{len(broken)} broken invariants: {broken[:10]}"
