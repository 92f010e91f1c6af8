"""What a trace adds to an answer: the problem of a traced request names its trace, whoever found it."""

from collections.abc import Iterator

import httpx
import pytest

from swaprail.telemetry import tracing
from swaprail.testing.traces import TurnOn, traces_in_memory
from swaprail_api.app import build
from swaprail_api.settings import ApiSettings

TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def traced() -> Iterator[TurnOn]:
    """Turn traces on with this ratio; what is exported stays in memory."""
    with traces_in_memory("api") as on:
        yield on


async def refused(**headers: str) -> dict[str, object]:
    """Post what is no order; return the problem."""
    transport = httpx.ASGITransport(build(ApiSettings(_env_file=None)).asgi)
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as http:
        answer = await http.post("/api/orders/execute", json={}, headers=headers)
    assert answer.status_code == 400
    problem: dict[str, object] = answer.json()
    return problem


async def test_problem_names_the_trace_when_the_caller_traces(traced: TurnOn) -> None:
    exporter = traced(0)
    assert (await refused(traceparent=f"00-{TRACE}-b7ad6b7169203331-01"))["traceId"] == TRACE
    tracing.shutdown_tracing()
    assert [span.name for span in exporter.get_finished_spans()] == ["POST /api/orders/execute"]


@pytest.mark.parametrize("sent", [{}, {"traceparent": f"00-{TRACE}-b7ad6b7169203331-00"}])
async def test_there_is_no_trace_when_the_request_is_not_sampled(traced: TurnOn, sent: dict[str, str]) -> None:
    exporter = traced(0)
    assert "traceId" not in await refused(**sent)
    tracing.shutdown_tracing()
    assert exporter.get_finished_spans() == ()
