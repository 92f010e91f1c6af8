"""Run one service process: settings, logs, event loop, signals, operations port, drain, stop."""

import asyncio
import contextlib
import gc
import os
import signal
import socket
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Protocol

import uvicorn

from swaprail.runtime.http_server import HttpServer
from swaprail.settings import Settings
from swaprail.telemetry import metrics
from swaprail.telemetry.health import Health
from swaprail.telemetry.logging import configure_logging, get_logger
from swaprail.telemetry.ops_server import ops_app
from swaprail.telemetry.slo import publish_objectives
from swaprail.telemetry.tracing import configure_tracing, shutdown_tracing

log = get_logger(__name__)

VERSION = version("swaprail")
STOP_GRACE_S = 4.0  # after the drain: closing connections
GC_THRESHOLD = 20_000  # objects
OPS_CLOSE_S = 1  # and after that: finishing the scrape under way


class Service(Protocol):
    """What a service's wiring (app.py) offers to be run."""

    health: Health

    async def start(self) -> None:
        """Begin to take work; dependencies may still be away."""
        ...

    async def drain(self) -> None:
        """Take no more work; return when what was taken is finished or handed over."""
        ...

    async def stop(self) -> None:
        """Close every connection."""
        ...


def worker_name(settings: Settings) -> str:
    """Return what leases and consumer groups call this process."""
    return settings.worker_name or f"{socket.gethostname()}-{os.getpid()}"


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Return a uvloop event loop, or the standard one on Windows."""
    if os.name == "nt":
        return asyncio.new_event_loop()
    import uvloop

    return uvloop.new_event_loop()


def run_service(name: str, settings: Settings, build: Callable[[], Service]) -> None:
    """Run a service until SIGTERM or SIGINT; returns when it has drained."""
    configure_logging(name, settings.log_level, settings.log_format)
    configure_tracing(name, VERSION, settings.otlp_endpoint, settings.trace_sample_ratio)
    metrics.BUILD_INFO.labels(name, VERSION).set(1)
    publish_objectives()
    metrics.DRAINING.set(0)
    metrics.DRAIN_TIMEOUTS.labels(name)
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(serve(name, settings, build))
    shutdown_tracing()


async def serve(name: str, settings: Settings, build: Callable[[], Service]) -> None:
    """Start the service and its operations port, wait for SIGTERM or SIGINT, drain and stop."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    service = build()
    # First to answer and last to stop: probes and scrapes see start-up, and the drain as well.
    ops = HttpServer(
        uvicorn.Config(
            ops_app(service.health),
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=OPS_CLOSE_S,
        ),
    )
    await ops.open(settings.host, settings.ops_port)
    watch = asyncio.create_task(_watch_loop(), name="loop lag")
    try:
        if await _start(service, stopping):
            # What start-up built lives as long as the process: the collector need not walk it again and again.
            gc.collect()
            gc.freeze()
            # Nearly all that an order leaves behind is freed by its last reference: look for cycles less often.
            gc.set_threshold(GC_THRESHOLD, 20, 20)
            log.info("started", ops_port=ops.port, worker=worker_name(settings), version=VERSION)
            await stopping.wait()
    finally:
        service.health.draining = True
        metrics.DRAINING.set(1)
        await _drain(name, settings, service)
        watch.cancel()
        await ops.close()
    log.info("stopped")


async def _start(service: Service, stopping: asyncio.Event) -> bool:
    """Start the service; return False when it was told to stop first (a worker may be waiting for its schema)."""
    starting, told = asyncio.create_task(_refusal(service)), asyncio.create_task(stopping.wait())
    await asyncio.wait((starting, told), return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    if not starting.done():
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        return False
    if refusal := await starting:
        raise refusal
    service.health.started = True
    return True


async def _refusal(service: Service) -> SystemExit | None:
    """Start the service; return why it ends instead: raised in a task of its own, that would tear down the loop."""
    try:
        await service.start()
    except SystemExit as refused:
        return refused
    return None


async def _drain(name: str, settings: Settings, service: Service) -> None:
    began = time.monotonic()
    try:
        await asyncio.wait_for(service.drain(), settings.drain_timeout_s)
    except TimeoutError:
        metrics.DRAIN_TIMEOUTS.labels(name).inc()
        log.warning("drain timed out; leases hand the rest over", seconds=settings.drain_timeout_s)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(service.stop(), STOP_GRACE_S)
    log.info("drained", seconds=round(time.monotonic() - began, 3))


async def _watch_loop() -> None:
    worst, since = 0.0, time.monotonic()
    while True:
        before = time.monotonic()
        await asyncio.sleep(0.1)
        now = time.monotonic()
        worst = max(worst, now - before - 0.1)
        if now - since >= 1:
            metrics.LOOP_LAG.set(worst)
            worst, since = 0.0, now
