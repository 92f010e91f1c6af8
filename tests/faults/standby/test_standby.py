"""The short form: each fault of the pair once, in one engine's life."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from swaprail.db.connect import Database
from swaprail.domain.errors import EngineError
from tests.faults.standby.campaign import lose_and_promote
from tests.faults.standby.history import ORDER, Client, tell, tell_after_a_crash
from tests.faults.standby.load import trading
from tests.faults.standby.node import DATABASE
from tests.faults.standby.world import World, running

SEED = int(os.environ.get("SEED", "1"))
AT_ONCE = 12
AWAY_S = 1.5  # longer than every wait of the engine for PostgreSQL
MODES = ("on", "remote_write", "remote_apply")

pytestmark = [pytest.mark.system, pytest.mark.timeout(400)]


@pytest.fixture
async def world(server_home: Path) -> AsyncIterator[World]:
    async with running(server_home / "standby") as world:
        yield world


async def _restart(world: World) -> None:
    await world.pair.detach()
    await asyncio.sleep(AWAY_S)
    await world.pair.attach()


async def _partition(world: World) -> None:
    await world.pair.cut()
    await asyncio.sleep(AWAY_S)
    await world.pair.heal()
    await world.pair.attached()


async def _lag(world: World) -> None:
    await world.pair.wait_by("remote_apply")
    async with world.pair.standby.session("postgres") as standby:
        await standby.execute("select pg_wal_replay_pause()")
        await asyncio.sleep(AWAY_S)
        await standby.execute("select pg_wal_replay_resume()")
    await world.pair.wait_by("on")


async def _promotion(world: World) -> None:
    assert not await lose_and_promote(world, signal.SIGQUIT, away_s=0.5)


async def _check_a_standby_is_not_believed(world: World) -> None:
    database = Database(world.pair.standby.dsn_of(DATABASE), size=1, timeout_s=5, application="test")
    with pytest.raises(EngineError, match="standby"):
        await database.fetch("select 1")
    await database.close()


async def test_nothing_told_is_lost_or_undone_when_a_standby_fails_lags_or_is_promoted(
    world: World, subtests: pytest.Subtests
) -> None:
    await _check_a_standby_is_not_believed(world)
    async with world.http() as http:
        for mode in MODES:
            with subtests.test(history=mode):
                await _check_history(world, http, mode)
        await world.pair.wait_by("on")
        with subtests.test("a primary crashes in the wait"):
            client = Client(world, http)
            assert not await tell_after_a_crash(world, client), client.answers
            assert not any("201" in answer for answer in client.answers)
    async with trading(world, SEED, AT_ONCE) as load:
        for fault in (_restart, _partition, _lag, _promotion):
            await load.flows(20)
            await fault(world)
            load.hear()
            with subtests.test(fault.__name__):
                assert not await world.differences()
    with subtests.test("the end"):
        assert not await load.judge()
        assert world.cancels() == 0
    with subtests.test("asynchronous"):
        await _check_loss_is_seen(world)


async def _check_history(world: World, http: httpx.AsyncClient, mode: str) -> None:
    await world.pair.wait_by(mode)
    client = Client(world, http)
    differences = await tell(world, client)
    print(f"\n{mode}: {client.answers}")
    assert not differences, client.answers
    assert {answer.rpartition(" ")[2] for answer in client.answers[1:] if "POST" in answer} == {"503"}


async def _check_loss_is_seen(world: World) -> None:
    """Without a synchronous standby told steps vanish, and this suite sees it."""
    await world.pair.wait_no_more()
    await world.pair.cut()
    async with world.http() as http:
        client = Client(world, http)
        for _ in range(3):
            answer = await client.post("/api/orders", ORDER)
            assert answer.status_code == 201
    await world.pair.lose_primary()
    await world.pair.heal()
    differences = await world.fail_over()
    assert sum(difference.startswith("lost") for difference in differences) == 3, differences
