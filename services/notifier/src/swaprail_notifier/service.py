"""The notifier as a process of its own: a server around it."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, cast

import uvicorn

from swaprail.db.schema import end_if_refused
from swaprail.domain.errors import EngineError, ErrorCode
from swaprail.runtime.bounded_http import BoundedHttp
from swaprail.runtime.http_server import HttpServer
from swaprail.telemetry.health import Health
from swaprail.telemetry.logging import get_logger
from swaprail.telemetry.ops_server import answer
from swaprail_notifier.app import build
from swaprail_notifier.lost_upgrades import Send, send_problem, telling_lost_upgrades
from swaprail_notifier.settings import NotifierSettings

log = get_logger(__name__)


class NotifierService:
    """Serves WebSockets, health and metrics on NOTIFIER_PORT."""

    def __init__(self, settings: NotifierSettings) -> None:
        self.notifier = build(settings)
        self.health = self.notifier.health
        self._settings = settings
        self._http = HttpServer(
            uvicorn.Config(
                telling_lost_upgrades(plain_app(self.health)),
                ws=cast("Any", self.notifier.protocol),
                http=BoundedHttp,
                log_config=None,
                access_log=False,
                lifespan="off",
                timeout_graceful_shutdown=2,
            ),
        )

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return self._http.port

    async def start(self) -> None:
        """Begin to serve, unless the database refuses us for good; it may be away."""
        await end_if_refused(self.notifier.lookups)
        await self.notifier.start()
        await self._http.open(self._settings.host, self._settings.notifier_port)
        log.info("listening", port=self.port)

    async def drain(self) -> None:
        """Accept no more, and send every client elsewhere."""
        for server in self._http.servers:
            server.close()
        await self.notifier.drain()

    async def stop(self) -> None:
        """Close the server and every connection."""
        await self._http.close()
        await self.notifier.stop()


def plain_app(health: Health) -> Callable[..., Awaitable[None]]:
    """Return the ASGI application for whatever is no WebSocket."""

    async def app(scope: MutableMapping[str, Any], _receive: object, send: Send) -> None:
        if scope["type"] != "http":
            return
        found = await answer(scope["path"], health)
        if found is None:
            await send_problem(send, EngineError(ErrorCode.NOT_FOUND, "this service speaks WebSocket at /ws"), 404)
            return
        status, content_type, body = found
        headers = [(b"content-type", content_type), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app
