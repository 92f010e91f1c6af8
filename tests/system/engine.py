"""The whole engine for tests: its services as real processes, to be killed and started again."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from swaprail.testing.conditions import until
from swaprail_local.servers.ports import free_port
from tests.system.zygote import Forked, zygote

MODULES = {
    "api": "swaprail_api",
    "notifier": "swaprail_notifier",
    "router": "swaprail_router",
    "executor": "swaprail_executor",
}
SERVICES = tuple(MODULES)
# Forking saves the seconds of imports that each start costs; SYSTEM_TESTS_SPAWN=exec starts `python -m` instead.
FORKS = sys.platform == "linux" and os.environ.get("SYSTEM_TESTS_SPAWN") != "exec"

type Process = subprocess.Popen[bytes] | Forked


def service_of(name: str) -> str:
    """Return `router` of the replica `router-2`."""
    return name.partition("-")[0]


class Engine:
    """One process of each service over given servers, and more as `router-2`. Ports stay the same over restarts.

    Set fork to False before a start where a module must read its environment on import.
    """

    def __init__(self, dsn: str, redis_url: str, home: Path, **settings: object) -> None:
        self.dsn, self.redis_url, self.home = dsn, redis_url, home
        self.fork = FORKS
        self.ports = defaultdict[str, int](free_port)
        self.ops_ports = defaultdict[str, int](free_port)
        self.processes: dict[str, Process] = {}
        # A revert is told when it is final: after 13 s, if blocks were as far from it as on a real chain.
        self.settings = {"PAPER_FINALITY_SLOTS": "2"} | {key.upper(): str(value) for key, value in settings.items()}
        # Environment of single processes, by name, from their next start on.
        self.extra = defaultdict[str, dict[str, str]](dict)

    @property
    def url(self) -> str:
        return self.url_of("api")

    @property
    def ws_url(self) -> str:
        return self.ws_url_of("notifier")

    def url_of(self, name: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}"

    def ws_url_of(self, name: str) -> str:
        return f"ws://127.0.0.1:{self.ports[name]}"

    def log(self, name: str) -> Path:
        """Return where the process of this name writes, over all its starts."""
        return self.home / f"{name}.log"

    def logs(self) -> list[str]:
        """Return what every process has written so far."""
        return [self.log(name).read_text(errors="replace") for name in self.processes]

    def environment(self, name: str) -> dict[str, str]:
        return {
            **os.environ,
            "DATABASE_URL": self.dsn,
            "REDIS_URL": self.redis_url,
            "PORT": str(self.ports[name]),
            "OPS_PORT": str(self.ops_ports[name]),
            "NOTIFIER_PORT": str(self.ports[name if service_of(name) == "notifier" else "notifier"]),
            "LOG_LEVEL": "INFO",
            **self.settings,
            **self.extra[name],
        }

    def spawn(self, name: str) -> None:
        module, env = MODULES[service_of(name)], self.environment(name)
        with self.log(name).open("ab") as log:
            if self.fork:
                self.processes[name] = zygote().spawn(module, env=env, output=log, cwd=self.home)
                return
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", module], env=env, stdout=log, stderr=log, cwd=self.home
            )

    async def start(self, names: Sequence[str] = SERVICES) -> None:
        for name in names:
            await asyncio.to_thread(self.spawn, name)
        for name in names:
            await self.ready(name)

    def is_ready(self, name: str) -> bool:
        if self.processes[name].poll() is not None:
            message = f"{name} died:\n{self.log(name).read_text()[-4000:]}"
            raise AssertionError(message)
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ops_ports[name]}/health/ready", timeout=3) as answer:
                return int(answer.status) == 200
        except (urllib.error.URLError, OSError):
            return False

    def health(self, name: str) -> dict[str, Any]:
        """Return what the service reports of itself."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ops_ports[name]}/health", timeout=3) as answer:
            report: dict[str, Any] = json.load(answer)
        return report

    async def ready(self, name: str, within_s: float = 60) -> None:
        async def is_ready() -> bool:
            return await asyncio.to_thread(self.is_ready, name)

        await until(is_ready, within_s=within_s, what=f"{name} is ready")

    def kill(self, name: str) -> None:
        process = self.processes[name]
        process.send_signal(signal.SIGKILL)
        process.wait(10)

    def stop(self, name: str) -> int:
        """SIGTERM; return the exit code."""
        process = self.processes[name]
        process.terminate()
        return process.wait(30)

    def close(self) -> None:
        for process in self.processes.values():
            if process.poll() is None:
                process.terminate()
        for process in self.processes.values():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)
