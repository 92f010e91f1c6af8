"""Starts what is measured. Ours is observed as in production: traces sampled and exported, metrics scraped."""

import asyncio
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

from tests.load.local_run import LocalRun, local_run
from tests.load.options import PEERS, Layout
from tests.load.peer_run import peer_run
from tests.load.subject import Subject
from tests.system.collector import Collector

SCRAPE_EVERY_S = 5.0
PEER_IN_FLIGHT = {True: 1000, False: 50}  # jobs of its worker; more than 50 without delays slow it down


@asynccontextmanager
async def running(layout: Layout, **settings: object) -> AsyncIterator[Subject]:
    """Start an engine of a layout, ours or the peer."""
    if layout in PEERS:
        delayed = bool(settings["mock_dex_execution_delay_ms"])
        async with peer_run(layout, worker_in_flight=PEER_IN_FLIGHT[delayed], **settings) as peer:
            yield peer
        return
    with closing(Collector()) as collector:
        traced = {"otel_exporter_otlp_endpoint": collector.endpoint} | settings
        async with local_run(layout, **traced) as engine, scraped(engine):
            yield engine


@asynccontextmanager
async def scraped(engine: LocalRun) -> AsyncIterator[None]:
    """Read every service's metrics every few seconds, as Prometheus does."""
    task = asyncio.create_task(_scrape(list(engine.status.ops.values())))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _scrape(bases: list[str]) -> None:
    while True:
        await asyncio.sleep(SCRAPE_EVERY_S)
        for base in bases:
            await asyncio.to_thread(_get, f"{base}/metrics")


def _get(url: str) -> None:
    with urllib.request.urlopen(url, timeout=5) as answer:
        answer.read()
