from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from swaprail.testing.conditions import until
from tests.system.collector import Collector
from tests.system.engine import Engine
from tests.system.subscribers import Subscriber

pytestmark = [pytest.mark.system]

EDGES = {
    ("swaprail-api POST /api/orders/execute", "swaprail-api publish orders.accepted"),
    ("swaprail-api publish orders.accepted", "swaprail-router process orders.accepted"),
    ("swaprail-router process orders.accepted", "swaprail-router route order"),
    ("swaprail-router process orders.accepted", "swaprail-router publish orders.routed"),
    ("swaprail-router publish orders.routed", "swaprail-executor process orders.routed"),
    ("swaprail-executor process orders.routed", "swaprail-executor execute order"),
    ("swaprail-executor process orders.routed", "swaprail-executor publish orders.events"),
    ("swaprail-executor publish orders.events", "swaprail-notifier process orders.events"),
}


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    collector = Collector()
    yield collector
    collector.close()


@pytest.fixture
async def engine(database: str, redis_url: str, tmp_path: Path, collector: Collector) -> AsyncIterator[Engine]:
    engine = Engine(
        database,
        redis_url,
        tmp_path,
        mock_dex_quote_delay_ms=20,
        mock_dex_execution_delay_ms=50,
        mock_dex_failure_rate=0,
        otel_exporter_otlp_endpoint=collector.endpoint,
        trace_sample_ratio=1,
    )
    try:
        await engine.start()
        yield engine
    finally:
        engine.close()


def edges(collector: Collector, trace_id: bytes) -> set[tuple[str, str]]:
    spans = {span.span_id: (service, span) for service, span in collector.spans if span.trace_id == trace_id}
    named = {span_id: f"{service} {span.name}" for span_id, (service, span) in spans.items()}
    return {
        (named[span.parent_span_id], named[span_id])
        for span_id, (_, span) in spans.items()
        if span.parent_span_id in named
    }


async def test_one_order_is_one_trace_through_all_services_and_topics_when_traces_are_on(
    engine: Engine, collector: Collector
) -> None:
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    async with httpx.AsyncClient(base_url=engine.url, timeout=10) as client:
        answer = await client.post(
            "/api/orders/execute",
            json={"userWallet": "w", "inputToken": "SOL", "outputToken": "USDC", "inputAmount": 1},
            headers={"traceparent": f"00-{trace_id}-b7ad6b7169203331-01"},
        )
    assert answer.status_code == 202, answer.text
    subscriber = Subscriber(lambda: engine.ws_url, answer.json()["orderId"])
    await subscriber.follow()

    def complete() -> bool:
        return edges(collector, bytes.fromhex(trace_id)) >= EDGES

    try:
        await until(complete, within_s=20)
    except AssertionError:
        assert edges(collector, bytes.fromhex(trace_id)) >= EDGES
