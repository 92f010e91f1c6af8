"""An address comes to mean another PostgreSQL, while the one before still answers."""

import asyncio
import time

import httpx
import pytest

from swaprail.testing.conditions import until
from tests.faults.network.proxy import Proxy
from tests.faults.standby.node import DATABASE, Node
from tests.faults.standby.pair import Pair
from tests.installations.orders import accepted_within, assert_few, confirmed_within, lines_since, place, written
from tests.invariants import check_invariants
from tests.system.engine import SERVICES, Engine

pytestmark = [pytest.mark.system, pytest.mark.timeout(150)]
ENGINES = "select count(*) from pg_stat_activity where datname = $1 and application_name like 'swaprail%'"


async def _turn_read_only(node: Node) -> None:
    """Do what a demoted node, a switch from blue to green, and a provider's guard of a full disk look like."""
    await node.configure(default_transaction_read_only="on")


async def _promote(pair: Pair) -> None:
    """Promote the standby when it has all; the primary of before goes on answering."""
    async with pair.primary.session() as old, pair.standby.session() as new:
        end = await old.fetchval("select pg_current_wal_flush_lsn()")
        replayed = "select pg_last_wal_replay_lsn() >= $1"
        await until(lambda: new.fetchval(replayed, end), within_s=20, what="the standby has all", every_s=0.05)
        assert await new.fetchval("select pg_promote(true, 30)")
    # It was copied from the one before, which waited for a standby then.
    await pair.standby.configure(synchronous_standby_names="")


async def _told_away(engine: Engine) -> None:
    """Wait until all say that the database is away; those that are asked by clients stay where a proxy finds them."""

    async def told() -> bool:
        reports = {name: await asyncio.to_thread(engine.health, name) for name in SERVICES}
        if any(report["checks"]["database"]["ok"] for report in reports.values()):
            return False
        return {name for name, report in reports.items() if report["ready"]} == {"api", "notifier"}

    await until(told, within_s=5, what="every service says that the database is away")


async def test_orders_go_on_when_the_address_moves_and_the_old_server_turns_read_only(
    engine: Engine, pair: Pair, address: Proxy
) -> None:
    accepted = []
    async with httpx.AsyncClient(base_url=engine.url, timeout=10) as client:
        for _ in range(5):
            order_id, _ = await accepted_within(client, 5)
            await confirmed_within(client, order_id, 10)
            accepted.append(order_id)
        before = written(engine)
        await _turn_read_only(pair.primary)
        await _told_away(engine)
        refused = [await place(client) for _ in range(20)]
        assert {answer.status_code for answer in refused} == {503}
        assert all(int(answer.headers["retry-after"]) > 0 for answer in refused)
        await _promote(pair)
        address.point_to(pair.standby.port)
        moved = time.monotonic()
        order_id, statuses = await accepted_within(client, 10)
        assert statuses <= {503}
        await confirmed_within(client, order_id, 20 - (time.monotonic() - moved))
        accepted.append(order_id)
        for name in SERVICES:
            await engine.ready(name, 10)
    async with pair.primary.session("postgres") as old:
        assert await old.fetchval(ENGINES, DATABASE) == 0
    told = lines_since(engine, before)
    assert_few(told)
    assert any("read-only" in line for line in told["api"])
    await check_invariants(engine.dsn, accepted)


async def test_nobody_is_refused_when_connections_are_cut_while_nothing_is_asked(
    engine: Engine, address: Proxy
) -> None:
    async with httpx.AsyncClient(base_url=engine.url, timeout=10) as client:
        for _ in range(3):
            order_id, _ = await accepted_within(client, 5)
            await confirmed_within(client, order_id, 10)
            address.reset()
            await until(lambda: address.connections == 0, within_s=5, what="every connection is cut")
            answers = await asyncio.gather(*(place(client) for _ in range(10)))
            assert [answer.status_code for answer in answers] == [202] * 10


async def test_nobody_is_refused_when_the_server_ends_sessions_that_are_idle(engine: Engine, pair: Pair) -> None:
    await pair.primary.configure(idle_session_timeout="300")
    async with httpx.AsyncClient(base_url=engine.url, timeout=10) as client:
        answers = []
        for _ in range(20):
            await asyncio.sleep(0.29)  # about as long as the server waits
            answers.append(await place(client))
    assert [answer.text for answer in answers if answer.status_code != 202] == []
