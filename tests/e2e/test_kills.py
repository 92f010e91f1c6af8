"""Pods die without a word while orders flow: nothing is lost, doubled, or missed by a subscriber."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.e2e.cluster.access import Kubernetes
from tests.e2e.cluster.names import NAMESPACE, RELEASE
from tests.e2e.cluster.shell import kubectl
from tests.e2e.conditions import until
from tests.e2e.traffic import Traffic

RATE = 10
STORES = {"redis": "deployment/redis", "postgres": "statefulset/postgres"}


def _kill_one(kubernetes: Kubernetes, component: str) -> None:
    name = kubernetes.ready_pods(component)[0].metadata.name
    kubectl("delete", "pod", name, "-n", NAMESPACE, "--grace-period=0", "--force", "--wait=false")


def _kill_store(name: str) -> None:
    kubectl("delete", "pod", "-n", "stores", "-l", f"app={name}", "--grace-period=0", "--force", "--wait=false")
    kubectl("rollout", "status", STORES[name], "-n", "stores", "--timeout=90s")


@pytest.mark.parametrize("victim", ["executor", "router", "notifier", "api", "redis", "postgres"])
async def test_every_order_ends_once_when_a_pod_is_killed_amid_orders(
    victim: str, kubernetes: Kubernetes, api_key: str, judge: Callable[[Traffic], Awaitable[None]]
) -> None:
    async with Traffic(api_key, rate=RATE, patient=True) as traffic:
        await until(lambda: len(traffic.accepted) > 4 * RATE, within_s=30, what="orders flow")
        if victim in STORES:
            await asyncio.to_thread(_kill_store, victim)
        else:
            await asyncio.to_thread(_kill_one, kubernetes, victim)
        flowed = len(traffic.accepted)
        await until(lambda: len(traffic.accepted) > flowed + 4 * RATE, within_s=60, what="orders flow again")
    await judge(traffic)
    if victim not in STORES:
        kubectl("rollout", "status", f"deployment/{RELEASE}-{victim}", "-n", NAMESPACE, "--timeout=90s")
