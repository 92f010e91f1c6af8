"""Entries that nobody can read are kept before they are acknowledged, whenever their reader dies."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import redis.asyncio as redis
from redis.exceptions import ConnectionError as ConnectionLostError

from swaprail.broker.keeper import Consumption, StreamKeeper
from swaprail.broker.streams import make_broker
from swaprail.messages.topics import Group, OrdersAccepted, Topic
from swaprail.runtime.consume import consume
from swaprail.settings import Settings
from swaprail.testing.conditions import until

GARBAGE = [b"no message", b'{"orders": 7}', b"\xff\x00"]


class Diverted:
    """Redis as a keeper sees it, which fails at a command so often."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.fails: dict[str, int] = {}
        self.failed = 0

    def __getattr__(self, name: str) -> Any:
        return self._failing if self.fails.get(name) and self._take(name) else getattr(self._client, name)

    def _take(self, name: str) -> bool:
        self.fails[name] -= 1
        self.failed += 1
        return True

    async def _failing(self, *args: Any, **options: Any) -> Any:
        raise ConnectionLostError


class Nobody:
    """An intake: there is no order in garbage."""

    def take(self, items: list[Any]) -> None:
        assert items == []

    async def wait_free(self) -> None:
        return


class Reader:
    """A service that reads orders.accepted, wired as the router's is."""

    def __init__(self, url: str, name: str) -> None:
        settings = Settings(redis_url=url, drain_timeout_s=2)
        broker = make_broker(settings)
        consumption = Consumption(Topic.ACCEPTED, Group.ROUTER, OrdersAccepted)
        self.keeper = StreamKeeper(settings, broker, name, [consumption])
        self.redis = self.keeper._redis = Diverted(self.keeper._redis)
        nobody: Any = Nobody()
        consume(broker, self.keeper, consumption, nobody, name)

    async def die(self) -> None:
        await self.keeper.stop_consuming()
        await self.keeper.stop()


class Shelf:
    """What is set aside, and what is still somebody's."""

    def __init__(self, server: Any) -> None:
        self._server = server

    async def put(self, entries: list[bytes]) -> None:
        for entry in entries:
            await self._server.xadd(str(Topic.ACCEPTED), {"__data__": entry})

    async def kept(self) -> set[bytes]:
        return {fields[b"entry"] for _, fields in await self._server.xrange(f"{Topic.ACCEPTED}.dead")}

    async def pending(self) -> int:
        return int((await self._server.xpending(str(Topic.ACCEPTED), str(Group.ROUTER)))["pending"])

    async def all_kept(self) -> bool:
        return await self.kept() == set(GARBAGE) and await self.pending() == 0


@pytest.fixture
async def shelf(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Shelf]:
    for name, value in {"CHECK_EVERY_S": 0.05, "CLAIM_EVERY_S": 0.1, "CLAIM_IDLE_MS": 200}.items():
        monkeypatch.setattr(f"swaprail.broker.keeper.{name}", value)
    server: Any = redis.Redis.from_url(redis_url)
    yield Shelf(server)
    await server.aclose()


@pytest.fixture
async def readers(redis_url: str) -> AsyncIterator[Any]:
    made: list[Reader] = []

    def make(name: str) -> Reader:
        made.append(Reader(redis_url, name))
        return made[-1]

    yield make
    for reader in made:
        await reader.die()


async def test_an_entry_is_set_aside_by_another_when_its_reader_died_before_it_could(
    shelf: Shelf, readers: Any
) -> None:
    first = readers("first")
    first.redis.fails["xadd"] = 1_000
    await shelf.put(GARBAGE)
    await first.keeper.start()
    await until(lambda: first.redis.failed > 0)
    await first.die()
    assert (await shelf.kept(), await shelf.pending()) == (set(), len(GARBAGE))
    await readers("second").keeper.start()
    await until(shelf.all_kept)


async def test_an_entry_is_set_aside_again_when_its_reader_died_before_it_acknowledged(
    shelf: Shelf, readers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = readers("first")
    died: list[bytes] = []

    def die(_: Any, entry_ids: list[bytes]) -> None:
        died.extend(entry_ids)
        raise ConnectionLostError

    monkeypatch.setattr(first.keeper, "acknowledge", die)
    monkeypatch.setattr(first.keeper, "_claim", _nothing)
    await shelf.put(GARBAGE)
    await first.keeper.start()
    await until(lambda: len(died) == len(GARBAGE))
    await first.die()
    assert (await shelf.kept(), await shelf.pending()) == (set(GARBAGE), len(GARBAGE))
    await readers("second").keeper.start()
    await until(shelf.all_kept)


@pytest.mark.parametrize(("command", "kept"), [("xadd", 0), ("xack", len(GARBAGE))])
async def test_a_claimed_entry_is_claimed_again_when_its_claimer_died_before_it_was_done(
    shelf: Shelf, readers: Any, command: str, kept: int
) -> None:
    dead, claimer = readers("dead"), readers("claimer")
    dead.redis.fails["xadd"] = 1_000
    await shelf.put(GARBAGE)
    await dead.keeper.start()
    await until(lambda: dead.redis.failed > 0)
    await dead.die()
    claimer.redis.fails[command] = 1_000
    await claimer.keeper.start()
    await until(lambda: claimer.redis.failed > 0)
    await claimer.die()
    assert (len(await shelf.kept()), await shelf.pending()) == (kept, len(GARBAGE))
    await readers("last").keeper.start()
    await until(shelf.all_kept)


async def test_an_entry_is_set_aside_by_the_same_reader_when_redis_is_back(shelf: Shelf, readers: Any) -> None:
    reader = readers("only")
    reader.redis.fails["xadd"] = 2
    await shelf.put(GARBAGE)
    await reader.keeper.start()
    await until(shelf.all_kept)
    assert reader.redis.failed == 2


async def _nothing(_: Any) -> None:
    return
