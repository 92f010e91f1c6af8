"""Sessions that have lived long enough, and those that are opened before anybody asks."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from swaprail.db import pool as module
from swaprail.db.pool import Pool
from swaprail.testing.conditions import until


class FakeSession:
    def __init__(self, number: int, ends: float) -> None:
        self.number, self.opened, self.ends = number, time.monotonic(), ends
        self.closed = False

    def is_closed(self) -> bool:
        return self.closed

    def terminate(self) -> None:
        self.closed = True

    async def close(self, timeout: float) -> None:  # noqa: ASYNC109 - as asyncpg has it
        self.closed = True


class Server:
    """Takes sessions in, unless it is told not to; the first one has lived long enough at once."""

    def __init__(self) -> None:
        self.sessions: list[FakeSession] = []
        self.takes_in = asyncio.Event()
        self.takes_in.set()
        self.fails = False

    async def open(self) -> Any:
        await self.takes_in.wait()
        if self.fails:
            raise OSError("away")
        ends = time.monotonic() + (1_000 if self.sessions else 0)
        self.sessions.append(FakeSession(len(self.sessions), ends))
        return self.sessions[-1]


async def _use(pool: Pool) -> Any:
    session: Any = pool.take() or await pool.wait()
    pool.give_back(session)
    return session


async def test_an_old_session_serves_on_when_the_server_takes_no_other_in() -> None:
    server = Server()
    pool = Pool(server.open, 1)
    old = await _use(pool)
    server.takes_in.clear()
    for _ in range(5):
        assert await asyncio.wait_for(_use(pool), 1) is old
        await asyncio.sleep(0)
    server.takes_in.set()
    await until(lambda: old.closed, what="the old one is replaced")
    assert (await _use(pool)).number == 1
    assert len(server.sessions) == 2
    await pool.close(1)


async def test_an_old_session_that_is_lent_is_closed_when_it_comes_back() -> None:
    server = Server()
    pool = Pool(server.open, 1)
    old = await _use(pool)
    again: Any = pool.take()
    await until(lambda: len(server.sessions) == 2, what="another is open in its place")
    assert (again, old.closed) == (old, False)
    pool.give_back(again)
    assert old.closed
    assert (await _use(pool)).number == 1
    await pool.close(1)


async def test_another_try_is_made_later_when_none_could_be_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RENEW_AGAIN_S", 0.05)
    server = Server()
    pool = Pool(server.open, 1)
    server.fails = False
    old = await _use(pool)
    server.fails = True
    await until(lambda: old.ends > old.opened + 0.01, what="no other could be opened")
    assert await _use(pool) is old
    server.fails = False

    async def replaced() -> bool:
        return (await _use(pool)) is not old

    await until(replaced, what="the old one is replaced")
    await pool.close(1)


@pytest.mark.parametrize("end", [lambda pool, session: session.terminate(), Pool.leave_server])
async def test_no_session_more_than_there_are_places_is_kept_when_the_old_one_ends_meanwhile(
    end: Callable[[Pool, Any], Awaitable[None] | None],
) -> None:
    server = Server()
    pool = Pool(server.open, 1)
    old = await _use(pool)
    server.takes_in.clear()
    await _use(pool)
    session: Any = pool.take()
    end(pool, session)
    pool.give_back(session)
    using = asyncio.create_task(_use(pool))
    await asyncio.sleep(0)
    server.takes_in.set()
    await using
    await until(lambda: sum(not each.closed for each in server.sessions) == 1, what="one is open")
    assert old.closed
    await pool.close(1)


async def test_all_are_open_and_free_when_a_pool_was_filled() -> None:
    pool = Pool(Server().open, 3)
    await pool.fill()
    assert (pool.idle, pool.lent) == (3, 0)
    await pool.close(1)


@pytest.mark.parametrize("fails", [True, False])
async def test_none_stays_lent_when_a_pool_cannot_be_filled(fails: bool) -> None:
    server = Server()
    pool = Pool(server.open, 3)
    await _use(pool)
    server.takes_in.clear()
    filling = asyncio.create_task(pool.fill())
    await until(lambda: pool.lent == 1, what="the one that is open was taken")
    server.fails = fails
    if fails:
        server.takes_in.set()
        with pytest.raises(OSError, match="away"):
            await filling
    else:
        filling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await filling
        server.takes_in.set()
    server.fails = False
    await until(lambda: pool.lent == 0, what="all was given back")
    await pool.fill()
    assert (pool.idle, pool.lent) == (3, 0)
    await pool.close(1)
