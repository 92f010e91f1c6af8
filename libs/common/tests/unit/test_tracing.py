"""Sampling: what is recorded, what is not, and that the rest has no spans at all."""

import random
from collections.abc import Iterator

import pytest
from opentelemetry import trace

from swaprail.telemetry import tracing
from swaprail.testing.traces import TurnOn, traces_in_memory

TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SAMPLED, UNSAMPLED = f"00-{TRACE}-{CALLER}-01", f"00-{TRACE}-{CALLER}-00"
NO_PARENTS = [None, "", "nonsense", f"00-{'0' * 32}-{CALLER}-01", f"ff-{TRACE}-{CALLER}-01"]


@pytest.fixture
def configure() -> Iterator[TurnOn]:
    """Turn traces on with this ratio; what is exported stays in memory."""
    with traces_in_memory("test") as on:
        yield on


def record(parent: str | None, *, root: bool = True) -> str | None:
    """Record a span with one below it; return the traceparent that an order would get."""
    with tracing.span("request", parent, root=root) as span, tracing.child_span("write"):
        return tracing.traceparent(span)


def test_share_of_sampled_roots_is_as_configured(configure: TurnOn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "random", random.Random(1).random)
    configure(0.1)
    sampled = [told for _ in range(5000) if (told := record(None))]
    assert 420 <= len(sampled) <= 580  # 500, four standard deviations either way
    assert len({told.split("-")[1] for told in sampled}) == len(sampled)


@pytest.mark.parametrize("parent", NO_PARENTS)
@pytest.mark.parametrize("ratio", [0, 1])
def test_a_root_is_sampled_by_the_ratio_when_it_has_no_parent(
    configure: TurnOn, parent: str | None, ratio: int
) -> None:
    exporter = configure(ratio)
    told = record(parent)
    tracing.shutdown_tracing()
    assert (told is not None, len(exporter.get_finished_spans())) == (ratio == 1, 2 * ratio)
    assert told is None or TRACE not in told


@pytest.mark.parametrize("ratio", [0, 1])
def test_the_caller_decides_when_there_is_a_parent(configure: TurnOn, ratio: int) -> None:
    exporter = configure(ratio)
    told = record(SAMPLED)
    assert told is not None
    assert told.split("-")[1] == TRACE
    assert record(UNSAMPLED) is None
    tracing.shutdown_tracing()
    write, request = exporter.get_finished_spans()
    assert request.parent is not None
    assert f"{request.parent.span_id:016x}" == CALLER
    assert write.parent == request.context


@pytest.mark.parametrize("parent", [*NO_PARENTS, UNSAMPLED])
def test_only_roots_begin_a_trace(configure: TurnOn, parent: str | None) -> None:
    exporter = configure(1)
    assert record(parent, root=False) is None
    started = tracing.start_span("publish", parent)
    started.end()
    assert tracing.traceparent(started) is None
    tracing.shutdown_tracing()
    assert exporter.get_finished_spans() == ()


def test_a_root_is_no_child_of_what_its_task_is_in(configure: TurnOn) -> None:
    configure(1)
    with tracing.span("request", None, root=True):
        first = trace.get_current_span().get_span_context().trace_id
        with tracing.span("pipelined request", None, root=True):
            assert trace.get_current_span().get_span_context().trace_id != first


def test_nothing_is_recorded_when_traces_are_off() -> None:
    assert record(SAMPLED) is None
    assert record(None) is None
