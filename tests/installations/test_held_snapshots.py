"""Somebody holds an old snapshot (a backup, a report): scans go on costing what is open, not what has been closed since."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any

import asyncpg
import pytest

from swaprail.auth import Principal
from swaprail.broker.publisher import TopicPublisher
from swaprail.db.connect import Database
from swaprail.db.horizons import Scan
from swaprail.db.leases import Leases
from swaprail.domain.errors import EngineError
from swaprail.domain.lifecycle import Status
from swaprail.testing.conditions import until
from swaprail_api.store.account_orders import AccountOrders
from swaprail_api.store.backlog import Backlog
from swaprail_router.housekeeping import Housekeeping
from swaprail_router.keep_horizons import Horizons
from swaprail_router.measure_engine import EngineMeasures

ENDED = 20_000
FEW_BLOCKS = 100
PLACED = """
insert into orders (id, account, wallet, input_mint, output_mint, input_symbol, output_symbol, input_decimals, output_decimals,
    input_amount, slippage_bps, status, seq, queued_at, expires_at, created_at)
select uuidv7(), case n % 2 when 0 then 'a' else 'a' || n end, 'w', 'i', 'o', 'I', 'O', 9, 6, 1, 50, case n % 3 when 0 then 'ROUTING' else 'PENDING' end, 2,
    case n % 3 when 0 then now() - interval '1 hour' end, case n % 3 when 1 then now() - interval '1 hour' end,
    now() - interval '100 days'
from generate_series(1, $1::int) n
"""
USED = """
insert into idempotency_keys (account, key, request_sha256, order_id, created_at)
select 'a', n, '', uuidv7(), now() - interval '10 days' from generate_series(1, $1::int) n
"""
HOLDERS = {
    "a report": ["begin isolation level repeatable read read only", "select count(*) from orders"],
    "a cursor": ["begin", "declare all_orders cursor for select * from orders", "fetch 1 from all_orders"],
    "a dump": ["begin isolation level serializable read only deferrable", "select pg_export_snapshot()"],
}


BLOCKS = "select blks_hit + blks_read from pg_stat_database where datname = current_database()"


@pytest.fixture
async def engine(database: str) -> AsyncIterator[Database]:
    opened = Database(database, size=1, timeout_s=10, application="test")
    yield opened
    await opened.close()


@pytest.fixture(params=HOLDERS)
async def held(request: Any, database: str) -> AsyncIterator[None]:
    """A database whose orders and keys have nearly all ended since somebody's snapshot."""
    connection, holder = await asyncpg.connect(database), await asyncpg.connect(database)
    await connection.execute(PLACED, ENDED)
    await connection.execute(USED, ENDED)
    for statement in HOLDERS[request.param]:
        await holder.execute(statement)
    await connection.execute("update orders set closed_at = now(), status = 'FAILED'")
    await connection.execute("delete from idempotency_keys")
    await connection.execute("vacuum analyze orders, idempotency_keys")
    await connection.close()
    yield
    await holder.close()


def passes(database: Any) -> dict[str, Callable[[], Awaitable[Any]]]:
    """Return all that looks at orders or keys again and again."""
    publisher: TopicPublisher = None  # type: ignore[assignment] # nothing is found

    def accounts_of_nobody() -> AccountOrders:
        return AccountOrders(database, most_open=0, most_waiting=0)

    housekeeping = Housekeeping(database, publisher, interval_s=1, retention_days=7, longest_days=90)

    async def open_orders_of_an_account() -> None:
        with suppress(EngineError):
            await accounts_of_nobody().take(Principal("a", "key", frozenset()), 1, execute=True).__aenter__()

    return {
        "scan": lambda: Leases(database, "w", 5, [Status.ROUTING]).scan(256),
        "measures": EngineMeasures(database).measure,
        "backlog": Backlog(database, 50_000, accounts_of_nobody()).count,
        "expiry": housekeeping.expire_waiting,
        "keys": housekeeping.purge_keys,
        "account": open_orders_of_an_account,
    }


async def blocks_of(engine: Database, run: Callable[[], Awaitable[Any]]) -> int:
    """Return how many blocks the engine's one session looks at, with its own settings and plans."""
    await engine.fetch("select pg_stat_force_next_flush()")
    before = await engine.fetchval(BLOCKS)
    await run()
    await engine.fetch("select pg_stat_force_next_flush()")
    return int(await engine.fetchval(BLOCKS) - before)


async def costs(engine: Database) -> dict[str, int]:
    """Return the blocks of each pass, of the second time: plans are made, and what was found is gone."""
    found = {}
    for name, run in passes(engine).items():
        await run()
        found[name] = await blocks_of(engine, run)
    return found


async def go_on(engine: Database) -> None:
    """Let a router move all horizons on, until each has used a mark that was set from now on."""
    began = await engine.fetchval("select now()")
    horizons = Horizons(engine, rest_s=0)

    async def passed() -> bool:
        for scan in Scan:
            await horizons.advance(scan)
        return bool(await engine.fetchval("select count(*) = 4 from scan_horizons where seen_at > $1", began))

    await until(passed, what="marks are set")
    began = await engine.fetchval("select now()")
    await until(passed, what="they are used")


@pytest.mark.usefixtures("held")
async def test_a_pass_looks_at_few_blocks_when_nearly_all_has_ended_since_a_snapshot(
    engine: Database,
) -> None:
    before = await costs(engine)
    assert min(before.values()) > FEW_BLOCKS, before
    await go_on(engine)
    after = await costs(engine)
    assert max(after.values()) < FEW_BLOCKS, after
