"""A fresh engine for one run, started as `make run` starts it: durable, embedded servers, data of its own."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from swaprail_local.servers.process import dies_with_parent
from swaprail_local.supervision.status_file import RunStatus, read_status
from tests.invariants import check_invariants
from tests.load.homes import home_of_a_run
from tests.load.options import Layout
from tests.load.subject import Questions

READY_S = 120.0
STOP_S = 60.0
NAMES_SERVERS = ("DATABASE_URL", "DB_HOST", "REDIS_URL", "REDIS_HOST")
QUESTIONS = Questions(
    open="select count(*) from orders where queued_at is not null and closed_at is null",
    ended="""select count(*) filter (where status = 'CONFIRMED') as confirmed,
        extract(epoch from max(closed_at))::float8 as last from orders where id = any($1::uuid[])""",
    each_ended="select id, extract(epoch from closed_at)::float8 as at from orders where id = any($1::uuid[])",
)


class LocalRun:
    """The engine's addresses and processes."""

    questions = QUESTIONS

    def __init__(self, home: Path, supervisor: subprocess.Popen[bytes]) -> None:
        self._home = home
        self._supervisor = supervisor

    @property
    def status(self) -> RunStatus:
        return read_status(self._home / "status.json")

    @property
    def pids(self) -> dict[str, int]:
        """Process ids by name, the supervisor's among them."""
        return self.status.pids | {"supervisor": self._supervisor.pid}

    @property
    def url(self) -> str:
        return self.status.url

    @property
    def ws_url(self) -> str:
        return self.status.ws_url

    @property
    def dsn(self) -> str:
        return self.status.dsn

    @property
    def redis_url(self) -> str:
        return self.status.redis_url

    async def check(self, accepted: Sequence[str], subscribers: Sequence[Any]) -> None:
        """Raise AssertionError when an invariant is broken."""
        await check_invariants(self.dsn, accepted, subscribers)

    async def ready(self) -> None:
        deadline = time.monotonic() + READY_S
        while not self._is_ready():
            if self._supervisor.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the engine did not start:\n{self.log_tail()}")
            await asyncio.sleep(0.1)

    def log_tail(self) -> str:
        return (self._home / "log").read_text(errors="replace")[-4000:]

    def stop(self) -> None:
        self._supervisor.send_signal(signal.SIGTERM)
        try:
            self._supervisor.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._supervisor.kill()
            self._supervisor.wait(10)

    def _is_ready(self) -> bool:
        try:
            return self.status.ready
        except FileNotFoundError:
            return False


@asynccontextmanager
async def local_run(layout: Layout, **settings: object) -> AsyncIterator[LocalRun]:
    """Start an engine with settings (as environment variables), and leave nothing of it behind."""
    with home_of_a_run() as home:
        engine = LocalRun(home, _start(home, layout, settings))
        try:
            await engine.ready()
            yield engine
        finally:
            await asyncio.to_thread(engine.stop)


def _start(home: Path, layout: Layout, settings: dict[str, object]) -> subprocess.Popen[bytes]:
    inherited = {name: value for name, value in os.environ.items() if name not in NAMES_SERVERS}
    own = {"PORT": "0", "DATA_DIR": str(home / "data")} | {n.upper(): str(v) for n, v in settings.items()}
    command = [sys.executable, "-m", "swaprail_local", "run", "--status-file", str(home / "status.json")]
    with (home / "log").open("wb") as log:
        return subprocess.Popen(
            [*command, "--separate"] if layout == "separate" else command,
            env=inherited | own,
            cwd=home,  # no .env there
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=dies_with_parent(signal.SIGTERM),  # noqa: PLW1509 - only system calls
        )
