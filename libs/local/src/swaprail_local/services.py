"""The processes of the engine: which there are, their environment, when they are ready."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field

from swaprail.hosts import host_and_port
from swaprail_local.backends import Backends
from swaprail_local.servers.ports import LOOPBACK, free_port
from swaprail_local.servers.process import spawn
from swaprail_local.settings import LocalSettings
from swaprail_local.supervision.child import ProcessSpec
from swaprail_local.supervision.output import Output
from swaprail_local.supervision.readiness import answers

CLOSING_S = 8.0  # beyond the drain: closing connections, ending the interpreter


@dataclass
class Services:
    """The engine's processes and the addresses at which they answer."""

    settings: LocalSettings
    backends: Backends
    output: Output
    port: int
    notifier_port: int  # equal to port: one process serves both
    ops: dict[str, str] = field(default_factory=dict)

    @property
    def host(self) -> str:
        """Where this machine reaches its own services."""
        return LOOPBACK if self.settings.host in ("0.0.0.0", "::", "") else self.settings.host  # noqa: S104

    @property
    def url(self) -> str:
        return f"http://{host_and_port(self.host, self.port)}"

    @property
    def ws_url(self) -> str:
        return f"ws://{host_and_port(self.host, self.notifier_port)}"

    def specs(self) -> list[ProcessSpec]:
        """All processes, in the order in which they start."""
        workers = [self._spec("executor", "swaprail_executor"), self._spec("router", "swaprail_router")]
        if self.port == self.notifier_port:
            return [*workers, self._spec("front", "swaprail_local.front")]
        return [*workers, self._spec("notifier", "swaprail_notifier"), self._spec("api", "swaprail_api")]

    def _spec(self, name: str, module: str) -> ProcessSpec:
        return ProcessSpec(
            name=name,
            spawn=lambda: self._spawn(name, module),
            ready=lambda: self._ready(name),
            stop_timeout_s=self.settings.drain_timeout_s + CLOSING_S,
        )

    def _spawn(self, name: str, module: str) -> subprocess.Popen[bytes]:
        ops_port = free_port()
        self.ops[name] = f"http://{host_and_port(self.host, ops_port)}"
        process = spawn(
            [sys.executable, "-m", module],
            output=subprocess.PIPE,
            # Nothing of a service's needs saving: the engine's promise covers its sudden end.
            death_signal=signal.SIGKILL,
            env=os.environ | self._environment() | {"OPS_PORT": str(ops_port)},
        )
        if process.stdout is not None:
            self.output.follow(name, process.stdout)
        return process

    def _environment(self) -> dict[str, str]:
        fmt = self.settings.log_format if "log_format" in self.settings.model_fields_set else "text"
        return {
            "DATABASE_URL": self.backends.dsn,
            "REDIS_URL": self.backends.redis_url,
            "PORT": str(self.port),
            "NOTIFIER_PORT": str(self.notifier_port),
            "LOG_FORMAT": fmt,
            "PYTHONUNBUFFERED": "1",
        }

    async def _ready(self, name: str) -> bool:
        ports = {"front": self.port, "api": self.port}
        port = ports.get(name) or int(self.ops[name].rpartition(":")[2])
        return await answers(self.host, port)
