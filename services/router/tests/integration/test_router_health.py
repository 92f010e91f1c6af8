from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from swaprail_router.app import Router
from swaprail_router.settings import RouterSettings


@pytest.fixture
async def start(database: str, redis_url: str) -> AsyncIterator[Callable[..., Awaitable[Router]]]:
    async with AsyncExitStack() as stack:

        async def started(**changes: Any) -> Router:
            given = {"database_url": database, "redis_url": redis_url} | changes
            router = Router(RouterSettings(_env_file=None, **given))
            stack.push_async_callback(router.stop)
            stack.push_async_callback(router.drain)
            await router.start()
            router.health.started = True
            return router

        yield started


async def test_a_router_is_ready_and_tells_of_it_when_redis_is_away(start: Any) -> None:
    router = await start(redis_url="redis://127.0.0.1:1/0", redis_timeout_s=0.5)
    report = await router.health.report()
    assert report.ready
    assert {name: check.ok for name, check in report.checks.items()} == {
        "database": True,
        "redis": False,
        "subscribers": True,
    }


async def test_a_router_is_not_ready_when_a_subscriber_is_dead_though_redis_answers(
    start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    router = await start()
    assert (await router.health.report()).ready

    async def stays_dead() -> None:
        raise OSError

    subscriber = router._keeper._broker.subscribers[0]
    monkeypatch.setattr(subscriber, "start", stays_dead)
    await subscriber.stop()
    router.health._latest = None
    report = await router.health.report()
    assert not report.ready
    assert report.checks["redis"].ok
