"""Autoscaling adds pods under load and takes them away again, and no order suffers from either."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from tests.e2e.cluster.access import Kubernetes
from tests.e2e.conditions import until
from tests.e2e.traffic import Traffic

VALUES = Path(__file__).parent / "values"
UP_S, DOWN_S = 120, 150


@asynccontextmanager
async def _readers(http: httpx.AsyncClient, wallet: str, count: int) -> AsyncIterator[list[int]]:
    """Clients that read a wallet's orders as fast as they are answered; yields the statuses other than 200."""
    unexpected: list[int] = []

    async def read() -> None:
        while True:
            status = (await http.get(f"/api/orders/user/{wallet}?limit=200")).status_code
            if status != 200:
                unexpected.append(status)

    tasks = [asyncio.create_task(read()) for _ in range(count)]
    try:
        yield unexpected
        assert not [task for task in tasks if task.done()], "a reader gave up"
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _scaled(kubernetes: Kubernetes, component: str, pods: int, within_s: float) -> None:
    def scaled() -> bool:
        return kubernetes.replicas(component) == pods and len(kubernetes.ready_pods(component)) == pods

    await until(lambda: asyncio.to_thread(scaled), within_s=within_s, what=f"{component} has {pods} pods")


async def test_the_api_scales_on_cpu_and_back_when_load_comes_and_goes(
    kubernetes: Kubernetes,
    http: httpx.AsyncClient,
    api_key: str,
    judge: Callable[[Traffic], Awaitable[None]],
    changed: Callable[..., str],
) -> None:
    await asyncio.to_thread(changed, "--values", VALUES / "hpa.yaml")
    await _scaled(kubernetes, "api", 1, UP_S)
    async with Traffic(api_key, rate=4) as traffic:
        async with _readers(http, next(iter(traffic.wallets)), 8) as unexpected:
            await _scaled(kubernetes, "api", 3, UP_S)
        await _scaled(kubernetes, "api", 1, DOWN_S)
    assert unexpected == []
    assert not traffic.failures, "\n".join(traffic.failures)
    await judge(traffic)


@pytest.mark.parametrize("trigger", ["lag", "slots"])
async def test_the_executor_scales_and_back_when_orders_come_and_go(
    trigger: str,
    kubernetes: Kubernetes,
    api_key: str,
    judge: Callable[[Traffic], Awaitable[None]],
    changed: Callable[..., str],
) -> None:
    await asyncio.to_thread(changed, "--values", VALUES / f"keda-{trigger}.yaml")
    await _scaled(kubernetes, "executor", 1, UP_S)
    async with Traffic(api_key, rate=25) as traffic:
        await _scaled(kubernetes, "executor", 3, UP_S)
    assert not traffic.failures, "\n".join(traffic.failures)
    await judge(traffic)
    await _scaled(kubernetes, "executor", 1, DOWN_S)
