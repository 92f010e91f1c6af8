"""A new version rolls out, and a node is drained, while orders flow: nobody notices."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import pytest

from tests.e2e.cluster.access import Kubernetes
from tests.e2e.cluster.images import NEXT_TAG
from tests.e2e.cluster.names import NAMESPACE, SERVICES, WORKER_NODE
from tests.e2e.cluster.shell import kubectl
from tests.e2e.conditions import until
from tests.e2e.traffic import Traffic

type Judge = Callable[[Traffic], Awaitable[None]]

RATE = 10


async def _orders_flow(traffic: Traffic, more: int) -> None:
    wanted = len(traffic.accepted) + more
    await until(lambda: len(traffic.accepted) >= wanted, within_s=30, what=f"{more} more orders were accepted")


async def test_no_request_fails_and_no_order_is_lost_when_a_new_version_rolls_out_under_load(
    kubernetes: Kubernetes, api_key: str, judge: Judge, changed: Callable[..., str]
) -> None:
    async with Traffic(api_key, rate=RATE) as traffic:
        await _orders_flow(traffic, 3 * RATE)
        await asyncio.to_thread(changed, "--set", f"image.tag={NEXT_TAG}")
        await _orders_flow(traffic, 3 * RATE)
    images = {pod.spec.containers[0].image.rpartition(":")[2] for name in SERVICES for pod in kubernetes.pods(name)}
    assert images == {NEXT_TAG}
    assert not traffic.failures, "\n".join(traffic.failures)
    assert traffic.reconnections > 0, "no WebSocket met the rolling notifier: the test shows nothing"
    await judge(traffic)


@pytest.fixture
def uncordoned() -> Iterator[None]:
    yield
    kubectl("uncordon", WORKER_NODE)


@pytest.mark.usefixtures("uncordoned")
async def test_no_request_fails_and_no_order_is_lost_when_a_node_is_drained_under_load(
    kubernetes: Kubernetes, api_key: str, judge: Judge
) -> None:
    def on_worker() -> list[str]:
        pods = [pod for name in SERVICES for pod in kubernetes.pods(name)]
        return [pod.metadata.name for pod in pods if pod.spec.node_name == WORKER_NODE]

    before = on_worker()
    assert {name.split("-")[1] for name in before} == set(SERVICES), f"the worker has only {before}"
    async with Traffic(api_key, rate=RATE) as traffic:
        await _orders_flow(traffic, 3 * RATE)
        drain = ["drain", WORKER_NODE, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=150s"]
        await asyncio.to_thread(lambda: kubectl(*drain, timeout_s=180))
        await _orders_flow(traffic, 3 * RATE)
    assert on_worker() == []
    assert not traffic.failures, "\n".join(traffic.failures)
    await judge(traffic)
    for name in SERVICES:
        kubectl("rollout", "status", f"deployment/swaprail-{name}", "-n", NAMESPACE, "--timeout=90s")
