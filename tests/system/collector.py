"""An OTLP/HTTP collector for tests: keeps every span it is sent. Stands alone, so that a pod can run it too."""

import gzip
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)


class Collector:
    """Listens on a free port of this machine by default; spans are (service, span)."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self.spans: list[tuple[str, Any]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                outer.take(ExportTraceServiceRequest.FromString(body))
                self._answer(ExportTraceServiceResponse().SerializeToString())

            def do_GET(self) -> None:
                """Answer /traces/<trace id> with the trace's edges."""
                trace_id = bytes.fromhex(self.path.rpartition("/")[2])
                self._answer(json.dumps(sorted(outer.edges(trace_id))).encode())

            def _answer(self, body: bytes) -> None:
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Keep the tests' output clean."""

        self._server = ThreadingHTTPServer((host, port), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.endpoint = f"http://{host}:{self._server.server_port}"

    def take(self, request: Any) -> None:
        for resource in request.resource_spans:
            service = {a.key: a.value.string_value for a in resource.resource.attributes}.get("service.name", "")
            for scope in resource.scope_spans:
                self.spans += [(service, span) for span in scope.spans]

    def edges(self, trace_id: bytes) -> set[tuple[str, str]]:
        """Return (parent, child) of a trace, each as "service span"."""
        spans = {span.span_id: (service, span) for service, span in self.spans if span.trace_id == trace_id}
        named = {span_id: f"{service} {span.name}" for span_id, (service, span) in spans.items()}
        return {
            (named[span.parent_span_id], named[span_id])
            for span_id, (_, span) in spans.items()
            if span.parent_span_id in named
        }

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
