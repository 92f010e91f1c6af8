"""What each service shows when it has done nothing yet, and after one order."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.request import urlopen

import httpx
import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from swaprail.telemetry.registry import DECLARED, Declared
from swaprail.testing.conditions import until
from swaprail_local import metrics_reference
from tests.system.engine import MODULES, Engine
from tests.system.subscribers import Subscriber

ORDER = {"userWallet": "w", "inputToken": "SOL", "outputToken": "USDC", "inputAmount": 1}
pytestmark = [pytest.mark.system]


@pytest.fixture
async def engine(database: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Engine]:
    settings = {"mock_dex_quote_delay_ms": 20, "mock_dex_execution_delay_ms": 50, "mock_dex_failure_rate": 0}
    engine = Engine(database, redis_url, tmp_path, **settings)
    try:
        await engine.start()
        yield engine
    finally:
        engine.close()


def scrape(engine: Engine, name: str) -> dict[str, Metric]:
    with urlopen(f"http://127.0.0.1:{engine.ops_ports[name]}/metrics", timeout=5) as answer:
        return {family.name: family for family in text_string_to_metric_families(answer.read().decode())}


def declared_by(name: str) -> list[Declared]:
    assert metrics_reference.DECLARING
    return [declared for declared in DECLARED if declared.of == "all" or name in declared.of.split(", ")]


def missing(engine: Engine, name: str) -> list[str]:
    families = scrape(engine, name)
    wanted = [declared.name.removesuffix("_total") for declared in declared_by(name)]
    return [name for name in wanted if name not in families or not families[name].samples]


def counted(engine: Engine, service: str, name: str, **labels: str) -> float:
    family = scrape(engine, service)[name.removesuffix("_total").removesuffix("_count")]
    return sum(s.value for s in family.samples if s.name == name and labels.items() <= s.labels.items())


async def test_every_declared_metric_has_series_when_a_service_has_done_nothing_yet(engine: Engine) -> None:
    for name in MODULES:
        await until(lambda name=name: missing(engine, name) == [], what=f"{name} has {missing(engine, name)}")  # type: ignore[misc]
        assert {"process_cpu_seconds", "process_resident_memory_bytes"} <= set(scrape(engine, name))


async def test_an_order_leaves_its_trace_in_the_metrics_of_every_service(engine: Engine) -> None:
    async with httpx.AsyncClient(base_url=engine.url, timeout=10) as client:
        answer = await client.post("/api/orders/execute", json=ORDER)
    subscriber = Subscriber(lambda: engine.ws_url, answer.json()["orderId"])
    await asyncio.wait_for(subscriber.follow(), 20)
    assert subscriber.messages[-1]["status"] == "CONFIRMED"
    for service, name, labels in (
        ("api", "swaprail_orders_submitted_total", {"order_type": "queued", "result": "accepted"}),
        ("api", "swaprail_outbox_delay_seconds_count", {"stream": "orders.accepted"}),
        ("api", "redis_client_operation_duration_seconds_count", {"command": "XADD"}),
        ("api", "db_client_operation_duration_seconds_count", {"operation": "intake"}),
        ("router", "swaprail_message_wait_seconds_count", {"stream": "orders.accepted"}),
        ("router", "swaprail_order_stage_seconds_count", {"stage": "queued"}),
        ("router", "swaprail_order_stage_seconds_count", {"stage": "routing"}),
        ("router", "swaprail_route_advantage_ratio_count", {}),
        ("router", "swaprail_routes_selected_total", {}),
        ("executor", "swaprail_message_wait_seconds_count", {"stream": "orders.routed"}),
        ("executor", "swaprail_order_stage_seconds_count", {"stage": "building"}),
        ("executor", "swaprail_order_stage_seconds_count", {"stage": "confirming"}),
        ("executor", "swaprail_order_completion_seconds_count", {"outcome": "CONFIRMED"}),
        ("executor", "swaprail_execution_attempts_total", {"result": "landed"}),
        ("executor", "swaprail_execution_slippage_ratio_count", {}),
    ):
        assert counted(engine, service, name, **labels) == 1, (service, name, labels)
    assert counted(engine, "notifier", "swaprail_push_delay_seconds_count") >= 1
    assert counted(engine, "notifier", "swaprail_message_wait_seconds_count", stream="orders.events") >= 1
