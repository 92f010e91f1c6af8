import asyncio
import os
import signal
import threading
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import uvicorn

from swaprail.runtime.http_server import HttpServer
from swaprail.runtime.service import serve
from swaprail.settings import Settings
from swaprail.telemetry.health import Health
from swaprail.telemetry.ops_server import ops_app
from swaprail.testing.conditions import until
from swaprail_local.servers.ports import free_port


class Paced:
    """A service that starts and drains when the test lets it."""

    def __init__(self) -> None:
        self.health = Health("paced")
        self.may_start, self.may_drain = asyncio.Event(), asyncio.Event()
        self.stopped = False

    async def start(self) -> None:
        await self.may_start.wait()

    async def drain(self) -> None:
        await self.may_drain.wait()

    async def stop(self) -> None:
        self.stopped = True


class Run:
    """One run of a paced service, and a client of its operations port."""

    def __init__(self, settings: Settings, http: httpx.AsyncClient) -> None:
        self.service = Paced()
        self.task = asyncio.create_task(serve("paced", settings, lambda: self.service))
        self._http = http

    async def status(self, path: str) -> int:
        try:
            return (await self._http.get(path)).status_code
        except httpx.ConnectError:
            return 0

    async def answers(self, path: str, status: int) -> None:
        async def held() -> bool:
            return await self.status(path) == status

        await until(held, what=f"{path} answers {status}")

    async def text(self, path: str) -> str:
        return (await self._http.get(path)).text


@pytest.fixture
async def run() -> AsyncIterator[Run]:
    settings = Settings(_env_file=None, ops_port=free_port(), drain_timeout_s=5)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{settings.ops_port}", trust_env=False) as http:
        run = Run(settings, http)
        yield run
        run.service.may_start.set()
        run.service.may_drain.set()
        if not run.task.done():
            os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(run.task, 10)


async def test_a_service_is_alive_but_neither_started_nor_ready_when_it_still_starts(run: Run) -> None:
    await run.answers("/health/live", 200)
    assert [await run.status(f"/health/{path}") for path in ("started", "ready")] == [503, 503]
    run.service.may_start.set()
    await run.answers("/health/started", 200)
    await run.answers("/health/ready", 200)


async def test_a_service_is_unready_at_once_and_goes_on_answering_when_it_drains(run: Run) -> None:
    run.service.may_start.set()
    await run.answers("/health/ready", 200)
    os.kill(os.getpid(), signal.SIGTERM)
    await until(lambda: run.service.health.draining)
    assert await run.status("/health/ready") == 503
    assert [await run.status(f"/health/{path}") for path in ("live", "started")] == [200, 200]
    assert "swaprail_draining 1.0" in await run.text("/metrics")
    assert not run.service.stopped
    run.service.may_drain.set()
    await asyncio.wait_for(run.task, 10)
    assert run.service.stopped


async def test_a_service_stops_when_it_is_told_to_before_it_has_started(run: Run) -> None:
    await run.answers("/health/live", 200)
    run.service.may_drain.set()
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(run.task, 10)
    assert run.service.stopped


async def test_liveness_asks_no_dependency_when_all_are_away(run: Run) -> None:
    async def away() -> None:
        raise OSError

    run.service.health.add("database", away)
    run.service.may_start.set()
    await run.answers("/health/started", 200)
    assert [await run.status(f"/health/{path}") for path in ("live", "ready")] == [200, 503]


async def test_liveness_fails_when_the_event_loop_is_blocked() -> None:
    ready, released, ended = threading.Event(), threading.Event(), threading.Event()
    shared: dict[str, Any] = {}

    async def operate() -> None:
        config = uvicorn.Config(ops_app(Health("blocked")), log_config=None, lifespan="off", ws="none")
        server = HttpServer(config)
        await server.open("127.0.0.1", 0)
        shared.update(loop=asyncio.get_running_loop(), port=server.port)
        ready.set()
        await asyncio.to_thread(ended.wait)
        await server.close()

    thread = threading.Thread(target=lambda: asyncio.run(operate()))
    thread.start()
    await asyncio.to_thread(ready.wait)
    url = f"http://127.0.0.1:{shared['port']}/health/live"
    async with httpx.AsyncClient(timeout=1, trust_env=False) as http:
        assert (await http.get(url)).status_code == 200
        shared["loop"].call_soon_threadsafe(released.wait)
        with pytest.raises(httpx.TimeoutException):
            await http.get(url)
        released.set()
        assert (await http.get(url)).status_code == 200
    ended.set()
    await asyncio.to_thread(thread.join)
