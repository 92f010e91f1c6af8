"""The Node peer for one run, over the same servers, settings and delays as ours. See peer/README.md."""

import asyncio
import os
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg

from swaprail_local.servers.ports import LOOPBACK, free_port
from swaprail_local.servers.postgres import EmbeddedPostgres
from swaprail_local.servers.process import spawn, stop, wait_ready
from swaprail_local.servers.valkey import EmbeddedValkey
from tests.load.homes import home_of_a_run
from tests.load.options import Layout
from tests.load.subject import Questions

FOLDER = Path(__file__).parent / "peer"
READY_S, STOP_S = 30.0, 20.0
NODE_NEEDED = 20
QUESTIONS = Questions(
    open="select count(*) from orders where status not in ('CONFIRMED', 'FAILED')",
    ended="""select count(*) filter (where status = 'CONFIRMED') as confirmed,
        extract(epoch from max(updated_at))::float8 as last from orders where id = any($1::uuid[])""",
    each_ended="select id, extract(epoch from updated_at)::float8 as at from orders where id = any($1::uuid[])",
)
_BROKEN = """
select id, status, (select count(*) from order_events where order_id = orders.id) as events from orders
where id = any($1::uuid[]) and (status <> 'CONFIRMED' or 5 <> (select count(*) from order_events where order_id = orders.id))
"""


class PeerRun:
    """The peer's addresses and processes."""

    questions = QUESTIONS

    def __init__(self, home: Path, postgres: EmbeddedPostgres, valkey: EmbeddedValkey) -> None:
        self._postgres, self._valkey = postgres, valkey
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._log = home / "peer.log"
        self._log.touch()
        self._port = free_port()
        self.url, self.ws_url = f"http://{LOOPBACK}:{self._port}", f"ws://{LOOPBACK}:{self._port}"
        self.dsn, self.redis_url = postgres.dsn_of("peer"), valkey.url

    @property
    def pids(self) -> dict[str, int]:
        """Process ids by name."""
        servers = {"postgres": self._postgres.process, "valkey": self._valkey.process}
        return {name: process.pid for name, process in (servers | self._processes).items() if process is not None}

    def start(self, layout: Layout, settings: dict[str, object]) -> None:
        given = {name.upper(): str(value) for name, value in settings.items()}
        addresses = {"PORT": str(self._port), "DATABASE_URL": self.dsn, "REDIS_URL": self.redis_url}
        environment = os.environ | {"NODE_ENV": "production"} | given | addresses
        if layout == "faithful":
            self._start("peer", "faithful.js", environment, self._answers)
            return
        self._start("peer_api", "tuned_api.js", environment, self._answers)
        self._start("peer_worker", "tuned_worker.js", environment, lambda: b"ready" in self._log.read_bytes())

    def stop(self) -> None:
        for process in reversed(self._processes.values()):
            stop(process, signal.SIGTERM, STOP_S)

    def log_tail(self) -> str:
        return self._log.read_text(errors="replace")[-4000:]

    async def check(self, accepted: Sequence[str], subscribers: Sequence[Any]) -> None:
        """The peer keeps no ledger: all that can be asked is that each order ended, with five events."""
        del subscribers
        connection = await asyncpg.connect(self.dsn, timeout=10)
        try:
            broken = await connection.fetch(_BROKEN, accepted, timeout=60)
        finally:
            await connection.close()
        assert not broken, f"{len(broken)} orders of the peer did not end well: {broken[:5]}\n{self.log_tail()}"

    def _start(self, name: str, script: str, environment: dict[str, str], ready: Any) -> None:
        with self._log.open("ab") as log:
            process = spawn(
                ["node", FOLDER / "src" / script], output=log, death_signal=signal.SIGKILL, cwd=FOLDER, env=environment
            )
        self._processes[name] = process
        wait_ready(process, ready, self._log, READY_S)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


@asynccontextmanager
async def peer_run(layout: Layout, **settings: object) -> AsyncIterator[PeerRun]:
    """Start the peer with settings (as environment variables), and leave nothing of it behind."""
    require_node()
    # Started in this thread: the processes end with the thread that started them.
    with ExitStack() as stack:
        home = stack.enter_context(home_of_a_run())
        postgres, valkey = EmbeddedPostgres(home / "postgres"), EmbeddedValkey(home / "valkey")
        for server in (postgres, valkey):
            server.start()
            stack.callback(server.stop)
        peer = PeerRun(home, postgres, valkey)
        await _create_database(postgres.dsn)
        stack.callback(peer.stop)
        peer.start(layout, settings)
        yield peer


def require_node() -> None:
    """Raise RuntimeError with what to do unless the peer can be run; its packages are installed once."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise RuntimeError(
            f"the comparison needs node >= {NODE_NEEDED} and npm on the PATH; leave it out: --without-peer"
        )
    version = subprocess.run(["node", "--version"], check=True, capture_output=True, text=True).stdout
    if int(version.lstrip("v").partition(".")[0]) < NODE_NEEDED:
        raise RuntimeError(f"the comparison needs node >= {NODE_NEEDED}, not {version.strip()}")
    if not (FOLDER / "node_modules" / ".package-lock.json").exists():
        subprocess.run(["npm", "ci", "--silent"], check=True, cwd=FOLDER)


async def _create_database(dsn: str) -> None:
    deadline = time.monotonic() + READY_S
    while True:
        try:
            connection = await asyncpg.connect(dsn, timeout=5)
        except (OSError, asyncpg.CannotConnectNowError):
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.1)
            continue
        await connection.execute("create database peer")
        await connection.close()
        return
