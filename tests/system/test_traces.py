from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from swaprail.testing.conditions import until
from tests.system.collector import Collector
from tests.system.engine import Engine
from tests.system.subscribers import Subscriber
from tests.system.trace_edges import EDGES, QUOTE_EDGES, Edge

ORDER = {"userWallet": "w", "inputToken": "SOL", "outputToken": "USDC", "inputAmount": 1}
pytestmark = [pytest.mark.system]


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


async def _has(collector: Collector, trace_id: str, wanted: set[Edge]) -> None:
    def missing() -> set[Edge]:
        return wanted - collector.edges(bytes.fromhex(trace_id))

    try:
        await until(lambda: not missing(), within_s=20)
    except AssertionError:
        assert missing() == set()


async def test_one_order_is_one_trace_through_all_services_topics_and_writes_when_traces_are_on(
    engine: Engine, collector: Collector
) -> None:
    trace_id, caller = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    async with httpx.AsyncClient(base_url=engine.url, timeout=10) as client:
        answer = await client.post(
            "/api/orders/execute", json=ORDER, headers={"traceparent": f"00-{trace_id}-{caller}-01"}
        )
    assert answer.status_code == 202, answer.text
    subscriber = Subscriber(lambda: engine.ws_url, answer.json()["orderId"])
    await subscriber.follow()
    await _has(collector, trace_id, EDGES)
    spans = [span for _, span in collector.spans if span.trace_id == bytes.fromhex(trace_id)]
    known = {span.span_id for span in spans} | {bytes.fromhex(caller)}
    assert [span.name for span in spans if span.parent_span_id not in known] == []


async def test_quotes_are_one_trace_with_every_venue_when_traces_are_on(engine: Engine, collector: Collector) -> None:
    trace_id = "1af7651916cd43dd8448eb211c80319c"
    query = {"inputToken": "SOL", "outputToken": "USDC", "inputAmount": "1"}
    async with httpx.AsyncClient(base_url=engine.url, timeout=10) as client:
        answer = await client.get(
            "/api/quotes", params=query, headers={"traceparent": f"00-{trace_id}-b7ad6b7169203331-01"}
        )
    assert answer.status_code == 200, answer.text
    await _has(collector, trace_id, QUOTE_EDGES)


async def test_an_order_has_no_spans_when_its_caller_does_not_sample(engine: Engine, collector: Collector) -> None:
    unsampled, sampled = "2af7651916cd43dd8448eb211c80319c", "3af7651916cd43dd8448eb211c80319c"
    async with httpx.AsyncClient(base_url=engine.url, timeout=10) as client:
        for trace_id, flags in ((unsampled, "00"), (sampled, "01")):
            answer = await client.post(
                "/api/orders/execute", json=ORDER, headers={"traceparent": f"00-{trace_id}-b7ad6b7169203331-{flags}"}
            )
            await Subscriber(lambda: engine.ws_url, answer.json()["orderId"]).follow()
    # What the later order left behind came with or after whatever the earlier one could have left.
    await _has(collector, sampled, EDGES)
    assert [span.name for _, span in collector.spans if span.trace_id == bytes.fromhex(unsampled)] == []
