"""A pod that is told to stop with hundreds of orders in flight is gone within its grace period, and they go on."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import asyncpg

from tests.e2e.cluster.access import Kubernetes
from tests.e2e.cluster.names import NAMESPACE
from tests.e2e.cluster.shell import kubectl
from tests.e2e.conditions import until
from tests.e2e.traffic import Traffic

IN_FLIGHT = 200


async def _held_by(dsn: str, worker: str) -> int:
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        query = "select count(*) from orders where lease_owner = $1 and lease_until > now() and closed_at is null"
        return int(await connection.fetchval(query, worker))
    finally:
        await connection.close()


async def test_a_pod_drains_within_its_grace_period_when_200_orders_are_in_flight(
    kubernetes: Kubernetes,
    database_dsn: str,
    api_key: str,
    judge: Callable[[Traffic], Awaitable[None]],
    changed: Callable[..., str],
) -> None:
    slow = ["--set", "config.MOCK_DEX_EXECUTION_DELAY_MS=10000", "--set", "executor.autoscaling.minReplicas=1"]
    await asyncio.to_thread(changed, *slow)
    pod = kubernetes.ready_pods("executor")[0]
    async with Traffic(api_key, rate=40) as traffic:

        async def many() -> bool:
            return await _held_by(database_dsn, pod.metadata.name) >= IN_FLIGHT

        await until(many, within_s=40, what=f"{IN_FLIGHT} orders are in flight in one executor")
        began = time.monotonic()
        delete = ["delete", "pod", pod.metadata.name, "-n", NAMESPACE, "--wait", "--timeout=60s"]
        await asyncio.to_thread(kubectl, *delete)
        took = time.monotonic() - began
    assert took < pod.spec.termination_grace_period_seconds
    assert not traffic.failures, "\n".join(traffic.failures)
    await judge(traffic)
