"""One order is one trace: its traceparent travels in the order's row and in every message.

Only sampled orders cost anything: an order without a traceparent has no spans at all. Whether a span is recorded is
decided here, before it is made (OpenTelemetry would make it and then drop it): below a sampled parent always, below
another parent never, and of traces that begin here a random share.
"""

from contextlib import AbstractContextManager, nullcontext
from random import random

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, TraceFlags
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_PROPAGATOR = TraceContextTextMapPropagator()
_INVALID = NonRecordingSpan(SpanContext(0, 0, is_remote=False))
_NOTHING: AbstractContextManager[Span] = nullcontext(_INVALID)


class _State:
    tracer: trace.Tracer | None = None
    provider: TracerProvider | None = None
    sample_ratio: float = 0.0


def configure_tracing(service: str, version: str, endpoint: str, sample_ratio: float) -> None:
    """Export spans by OTLP/HTTP to the endpoint; an empty endpoint turns traces off."""
    if not endpoint:
        return
    # Half of a service's start-up is imports: this one only where it is needed.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    resource = Resource.create({"service.name": f"swaprail-{service}", "service.version": version})
    provider = TracerProvider(resource=resource, sampler=ALWAYS_ON)
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=5)
    provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=4096, schedule_delay_millis=1000))
    _State.provider, _State.sample_ratio = provider, sample_ratio
    _State.tracer = provider.get_tracer("swaprail")


def shutdown_tracing() -> None:
    """Export what is left, for a few seconds at most."""
    if _State.provider is not None:
        _State.provider.force_flush(3000)
        _State.provider.shutdown()
    _State.provider = _State.tracer = None


def enabled() -> bool:
    """Tell whether traces are on."""
    return _State.tracer is not None


def traceparent(span: Span) -> str | None:
    """Return the W3C traceparent of a sampled span, else None."""
    context = span.get_span_context()
    if not context.trace_flags & TraceFlags.SAMPLED:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-01"


def span(
    name: str,
    parent: str | None,
    *,
    kind: SpanKind = SpanKind.INTERNAL,
    root: bool = False,
    attributes: dict[str, str | int | float | bool] | None = None,
) -> AbstractContextManager[Span]:
    """Record a span below the parent traceparent; without a parent only a root is started, if it is sampled."""
    if _State.tracer is None:
        return _NOTHING
    context = _recorded_below(parent, root=root)
    if context is None:
        return _NOTHING
    return _State.tracer.start_as_current_span(name, context=context, kind=kind, attributes=attributes)


def child_span(
    name: str, *, kind: SpanKind = SpanKind.INTERNAL, **attributes: str | int
) -> AbstractContextManager[Span]:
    """Record a span below the one that this task is in; nothing when that one is not recorded."""
    if _State.tracer is None or not trace.get_current_span().is_recording():
        return _NOTHING
    return _State.tracer.start_as_current_span(name, kind=kind, attributes=attributes)


def write_span(writer: str) -> AbstractContextManager[Span]:
    """Record how long the task waits for a batching writer: of a batch, each traced order has a span of its own."""
    if _State.tracer is None:
        return _NOTHING
    named = {"db.system.name": "postgresql", "db.operation.name": writer}
    return child_span(f"write {writer}", kind=SpanKind.CLIENT, **named)


def start_span(name: str, parent: str | None, *, kind: SpanKind = SpanKind.INTERNAL) -> Span:
    """Start a span that the caller ends; not current, so it may live across tasks."""
    if _State.tracer is None:
        return _INVALID
    context = _recorded_below(parent, root=False)
    return _INVALID if context is None else _State.tracer.start_span(name, context=context, kind=kind)


def _recorded_below(parent: str | None, *, root: bool) -> Context | None:
    """Return the context of a span that is to be recorded, else None. What is no traceparent is no parent."""
    if parent is not None:
        context = _PROPAGATOR.extract({"traceparent": parent})
        above = trace.get_current_span(context).get_span_context()
        if above.is_valid:
            return context if above.trace_flags.sampled else None
    return Context() if root and random() < _State.sample_ratio else None  # noqa: S311 - a sample, not a secret
