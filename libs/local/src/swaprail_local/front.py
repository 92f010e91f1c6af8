"""API and notifier behind one port: requests go to the one, WebSocket upgrades to the other."""

from typing import Any, cast

import uvicorn

from swaprail.db.schema import end_if_refused
from swaprail.domain.errors import EngineError, ErrorCode
from swaprail.runtime.bounded_http import BoundedHttp
from swaprail.runtime.http_server import HttpServer, grace_s
from swaprail.runtime.service import run_service
from swaprail.settings import read_settings
from swaprail.telemetry.logging import get_logger
from swaprail_api.app import build as build_api
from swaprail_api.settings import ApiSettings
from swaprail_notifier.app import build as build_notifier
from swaprail_notifier.lost_upgrades import telling_lost_upgrades
from swaprail_notifier.settings import NotifierSettings

log = get_logger(__name__)


class Front:
    """One process that is both."""

    def __init__(self, api_settings: ApiSettings, notifier_settings: NotifierSettings) -> None:
        self._settings = api_settings
        self._notifier = build_notifier(notifier_settings)
        self._lookups = (api := build_api(api_settings)).lookups
        self.health = api.health
        self.health.add("notifier", self._check_notifier)
        self._server = HttpServer(
            uvicorn.Config(
                telling_lost_upgrades(api.asgi),
                http=BoundedHttp,
                ws=cast("Any", self._notifier.protocol),
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=True,
                forwarded_allow_ips=api_settings.forwarded_allow_ips,
                timeout_keep_alive=api_settings.keep_alive_s,
                timeout_graceful_shutdown=grace_s(api_settings.drain_timeout_s),
            ),
        )

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return self._server.port

    async def start(self) -> None:
        """Start the notifier, then listen for both, unless the database refuses us for good."""
        await end_if_refused(self._lookups)
        await self._notifier.start()
        self._notifier.health.started = True
        await self._server.open(self._settings.host, self._settings.port)
        log.info("listening", port=self.port)

    async def drain(self) -> None:
        """Accept no more, send the subscribers away, finish the requests."""
        for listener in self._server.servers:
            listener.close()
        await self._notifier.drain()
        await self._server.close()

    async def stop(self) -> None:
        """Close what the notifier holds; draining ended the API's lifespan."""
        await self._notifier.stop()

    async def _check_notifier(self) -> None:
        report = await self._notifier.readiness()
        if not report.ready:
            failed = [name for name, check in report.checks.items() if check.required and not check.ok]
            raise EngineError(ErrorCode.UNAVAILABLE, f"does not work: {', '.join(failed) or 'starting'}")


def main() -> None:
    """Run until a signal."""
    settings = read_settings(ApiSettings)
    run_service("front", settings, lambda: Front(settings, read_settings(NotifierSettings)))


if __name__ == "__main__":
    main()
