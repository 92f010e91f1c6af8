"""Run the API as a process of its own."""

import uvicorn

from swaprail.db.schema import end_if_refused
from swaprail.runtime.bounded_http import BoundedHttp
from swaprail.runtime.http_server import HttpServer, grace_s
from swaprail.runtime.service import run_service
from swaprail.settings import read_settings
from swaprail.telemetry.logging import get_logger
from swaprail_api.app import build
from swaprail_api.settings import ApiSettings

log = get_logger(__name__)


class ApiService:
    """The API behind an HTTP server."""

    def __init__(self, settings: ApiSettings) -> None:
        self._settings = settings
        self._lookups = (api := build(settings)).lookups
        self.health = api.health
        self._server = HttpServer(
            uvicorn.Config(
                api.asgi,
                http=BoundedHttp,
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=True,
                forwarded_allow_ips=settings.forwarded_allow_ips,
                timeout_keep_alive=settings.keep_alive_s,
                timeout_graceful_shutdown=grace_s(settings.drain_timeout_s),
            ),
        )

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return self._server.port

    async def start(self) -> None:
        """Listen, unless the database refuses us for good; it may be away."""
        await end_if_refused(self._lookups)
        await self._server.open(self._settings.host, self._settings.port)
        log.info("listening", port=self.port)

    async def drain(self) -> None:
        """Accept no more, finish what was accepted."""
        await self._server.close()

    async def stop(self) -> None:
        """Nothing is left: draining ended the application's lifespan."""


def main() -> None:
    """Run until a signal."""
    settings = read_settings(ApiSettings)
    run_service("api", settings, lambda: ApiService(settings))


if __name__ == "__main__":
    main()
