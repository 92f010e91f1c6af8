"""Health and metrics."""

from swaprail.telemetry.health import Health, Report
from swaprail.telemetry.ops_server import answer
from swaprail_api.http.answers import Answer
from swaprail_api.http.endpoints import Endpoint
from swaprail_api.http.requests import Request


class OperationsRoutes:
    """/health and /metrics."""

    def __init__(self, health: Health) -> None:
        self._health = health

    async def operate(self, request: Request) -> Answer:
        """Answer as the operations port does."""
        found = await answer(request.scope["path"], self._health)
        assert found is not None
        status, content_type, body = found
        return Answer(status, body, (b"content-type", content_type))

    def endpoints(self) -> list[Endpoint]:
        """Return the routes."""
        return [
            self._endpoint("/health", "What works and what does not, per dependency", {200: ("The state", Report)}),
            self._endpoint("/health/live", "The process answers", {200: ("Alive", dict[str, bool])}),
            self._endpoint(
                "/health/started",
                "Start-up is over",
                {200: ("Started", dict[str, bool]), 503: ("Not started", dict[str, bool])},
            ),
            self._endpoint(
                "/health/ready", "Requests may be sent here", {200: ("Ready", Report), 503: ("Not ready", Report)}
            ),
            self._endpoint("/metrics", "Metrics in Prometheus' text format", {200: ("Metrics", str)}, "text/plain"),
        ]

    def _endpoint(
        self, path: str, summary: str, answers: dict[int, tuple[str, object]], media_type: str = "application/json"
    ) -> Endpoint:
        return Endpoint(
            method="GET",
            path=path,
            handle=self.operate,
            summary=summary,
            group="operations",
            scope=None,
            answers=answers,
            media_type=media_type,
        )
