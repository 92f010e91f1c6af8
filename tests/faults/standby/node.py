"""One of two PostgreSQL servers, durable, primary or standby."""

import asyncio
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from swaprail_local.servers.ports import LOOPBACK, free_port
from swaprail_local.servers.postgres import EmbeddedPostgres

type Connection = asyncpg.Connection[asyncpg.Record]

DATABASE = "swaprail"
# What is set by ALTER SYSTEM would be overruled by the command line.
_BY_SQL = ("synchronous_commit=",)
_REPLICATION = {
    "wal_keep_size": "256MB",
    "wal_sender_timeout": "1500",
    "wal_receiver_timeout": "1500",
    "wal_retrieve_retry_interval": "100",
    "log_line_prefix": "%m [%p] %a ",
}


class Node(EmbeddedPostgres):
    """A server of the pair. source: the port from which it replicates while it is a standby."""

    def __init__(self, home: Path) -> None:
        super().__init__(home, durable=True)
        self.source = 0
        self._extra: dict[str, str] = {}

    @property
    def address(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    @property
    def runs(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @asynccontextmanager
    async def session(self, database: str = DATABASE) -> AsyncIterator[Connection]:
        """Connect as an administrator, who waits for no standby."""
        settings = {"synchronous_commit": "local", "application_name": "administrator"}
        connection = await asyncpg.connect(self.dsn_of(database), server_settings=settings, timeout=10)
        try:
            yield connection
        finally:
            connection.terminate()

    async def configure(self, **values: str) -> None:
        """Change settings of the running server, and of whatever is copied from it."""
        async with self.session("postgres") as admin:
            for name, value in values.items():
                await admin.execute(f"alter system set {name} = '{value}'")
            await admin.execute("select pg_reload_conf()")

    async def end(self, how: signal.Signals) -> None:
        """End the server: SIGQUIT at once, SIGINT with a checkpoint, SIGKILL."""
        assert self.process is not None
        assert self.runs, "a server ended without being told to"
        self.process.send_signal(how)
        await asyncio.to_thread(self.process.wait, 20)

    def copy(self, source: "Node") -> None:
        """Become a standby of another server, of which everything is copied; to be started."""
        shutil.rmtree(self.data, ignore_errors=True)
        server = ("-h", LOOPBACK, "-p", str(source.port), "-U", "postgres")
        done = subprocess.run(
            [self._binaries / "pg_basebackup", "-D", self.data, *server, "-R", "--checkpoint=fast", "--no-sync"],
            check=False,
            capture_output=True,
            cwd=self.home,
            env=self._environment(),
            user=self._user,
            group=None if self._user is None else self.home.stat().st_gid,
            extra_groups=None if self._user is None else [],
            timeout=60,
        )
        assert done.returncode == 0, done.stderr.decode(errors="replace")

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[Connection]:
        """Start the server where nobody but us finds it, and waiting for no standby."""
        port, self.port = self.port, free_port()
        self._extra = {"synchronous_standby_names": ""}
        try:
            await asyncio.to_thread(self.start)
            async with self.session() as connection:
                yield connection
        finally:
            await asyncio.to_thread(self.stop)
            self.port, self._extra = port, {}

    def _options(self) -> list[str]:
        own = _REPLICATION | self._extra
        if self.source:
            own["primary_conninfo"] = f"host={LOOPBACK} port={self.source} user=postgres"
        kept = [option for option in super()._options()[1::2] if not option.startswith(_BY_SQL)]
        given = [*kept, *(f"{name}={value}" for name, value in own.items())]
        return [part for option in given for part in ("-c", option)]
