"""Traces that stay in memory instead of going to a collector."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest.mock import patch

from opentelemetry.exporter.otlp.proto.http import trace_exporter
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from swaprail.telemetry import tracing

type TurnOn = Callable[[float], InMemorySpanExporter]


@contextmanager
def traces_in_memory(service: str) -> Iterator[TurnOn]:
    """Yield what turns traces on with a ratio and returns where they end up; turn them off at last."""
    exporter = InMemorySpanExporter()

    def on(ratio: float) -> InMemorySpanExporter:
        tracing.configure_tracing(service, "0", "http://collector", ratio)
        return exporter

    with patch.object(trace_exporter, "OTLPSpanExporter", lambda **_: exporter):
        try:
            yield on
        finally:
            tracing.shutdown_tracing()
