"""Run the whole engine on this machine until told to stop."""

import asyncio
import signal
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from swaprail_local.backends import choose_backends
from swaprail_local.options import RunOptions
from swaprail_local.prepare_database import prepare_database
from swaprail_local.reload_on_change import reload_on_change, source_roots
from swaprail_local.servers.ports import free_port, port_is_free
from swaprail_local.services import Services
from swaprail_local.settings import LocalSettings
from swaprail_local.supervision.data_lock import DataLock
from swaprail_local.supervision.output import Output
from swaprail_local.supervision.status_file import RunStatus, write_status
from swaprail_local.supervision.supervisor import Supervisor

SERVERS_READY_S = 120.0  # a crash may need recovery
SERVICES_READY_S = 60.0
RELOAD_STOP_S = 3.0


class CannotListenError(RuntimeError):
    """Something listens there already, or nothing can."""


class Run:
    """One run of the engine: servers, services, their status."""

    def __init__(self, settings: LocalSettings, options: RunOptions, output: Output) -> None:
        self._settings = settings
        self._options = options
        self._output = output
        self._data = settings.data_dir.absolute()
        self._status_file = options.status_file or self._data / "status.json"
        self._supervisor = Supervisor(output.say, self._changed)
        self._services: Services | None = None
        self._ready = False
        self._stopping = asyncio.Event()
        self._forced = asyncio.Event()

    async def until_stopped(self) -> None:
        """Run until SIGINT, SIGTERM or SIGHUP, or until something cannot be kept running."""
        self._listen_to_signals()
        lock = DataLock(self._data)
        try:
            await self._first_of(self._work(), self._stopping.wait())
        finally:
            await self._stop_all()
            self._status_file.unlink(missing_ok=True)
            lock.release()

    async def _stop_all(self) -> None:
        self._ready = False
        if not self._supervisor.children:
            return
        self._output.say("Stopping (once more to force it)")
        await self._supervisor.stop(self._forced)
        self._output.say("Stopped")

    async def _work(self) -> None:
        port, notifier_port = self._choose_ports()
        backends = choose_backends(self._settings, self._data)
        if backends.specs:
            self._output.say(f"Starting {' and '.join(spec.name for spec in backends.specs)} in {self._data}")
        await self._supervisor.start(backends.specs, SERVERS_READY_S)
        self._output.say("Migrating the database")
        await prepare_database(backends.dsn)
        self._output.say("Starting the services")
        self._services = Services(self._settings, backends, self._output, port, notifier_port)
        await self._supervisor.start(self._services.specs(), SERVICES_READY_S)
        self._ready = True
        self._changed()
        self._output.print(welcome(self._services, self._data))
        forever = [self._supervisor.failed()]
        if self._options.reload:
            forever.append(reload_on_change(source_roots(Path.cwd()), self._reload))
        await self._first_of(*forever)

    def _choose_ports(self) -> tuple[int, int]:
        host, port = self._settings.host, self._settings.port or free_port()
        if not self._options.separate:
            require_free(host, port, "PORT")
            return port, port
        notifier_port = self._settings.notifier_port or (port + 1 if self._settings.port else free_port())
        require_free(host, port, "PORT")
        require_free(host, notifier_port, "NOTIFIER_PORT")
        return port, notifier_port

    async def _reload(self, paths: set[str]) -> None:
        services = self._services
        if services is None:
            return
        self._output.say(f"Changed: {', '.join(sorted(Path(path).name for path in paths))}. Starting anew.")
        if any("migrations" in Path(path).parts for path in paths):
            await prepare_database(services.backends.dsn)
        await self._supervisor.replace((spec.name for spec in services.specs()), RELOAD_STOP_S)

    def _changed(self) -> None:
        services = self._services
        if services is None:
            return
        status = RunStatus(
            ready=self._ready,
            url=services.url,
            ws_url=services.ws_url,
            dsn=services.backends.dsn,
            redis_url=services.backends.redis_url,
            pids=self._supervisor.pids,
            ops=services.ops,
        )
        write_status(self._status_file, status)

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._stop)

    def _stop(self) -> None:
        if self._stopping.is_set():
            self._forced.set()
        self._stopping.set()

    @staticmethod
    async def _first_of(*coroutines: Coroutine[Any, Any, object]) -> None:
        """Return when the first one ends, cancel the others, raise what it raised."""
        tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()


def require_free(host: str, port: int, variable: str) -> None:
    """Raise CannotListenError, which says what to do, unless a server could listen on the port."""
    try:
        free = port_is_free(port, host)
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or error
        message = f"HOST={host}, {variable}={port}: nothing can listen there ({why}). Try: HOST=127.0.0.1 make run"
        raise CannotListenError(message) from None
    if not free:
        message = f"Port {port} is taken. Stop what listens there, or choose another: {variable}={port + 10} make run"
        raise CannotListenError(message)


def welcome(services: Services, data: Path) -> str:
    """Say where the engine is and what to try first."""
    body = '{"userWallet": "alice", "inputToken": "SOL", "outputToken": "USDC", "inputAmount": "1.5"}'
    kept = f"; the data stay in {data}" if services.backends.specs else ""
    return f"""
Swaprail is ready: {services.url}
  HTTP       {services.url}/docs
  WebSocket  {services.ws_url}/ws/orders/ORDER_ID

Try:
  curl -s {services.url}/api/orders/execute -H 'content-type: application/json' -d '{body}'

Ctrl-C stops it{kept}.
"""
