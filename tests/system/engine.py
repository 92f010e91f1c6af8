"""The whole engine for tests: four services as real processes, to be killed and started again."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections import defaultdict
from pathlib import Path

from swaprail.testing.conditions import until

MODULES = {
    "api": "swaprail_api",
    "notifier": "swaprail_notifier",
    "router": "swaprail_router",
    "executor": "swaprail_executor",
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Engine:
    """One process of each service over given servers, and more as `router-2`. Ports stay the same over restarts."""

    def __init__(self, dsn: str, redis_url: str, home: Path, **settings: object) -> None:
        self.dsn, self.redis_url, self.home = dsn, redis_url, home
        self.ports = defaultdict[str, int](free_port)
        self.ops_ports = defaultdict[str, int](free_port)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.settings = {key.upper(): str(value) for key, value in settings.items()}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports['api']}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.ports['notifier']}"

    def environment(self, name: str) -> dict[str, str]:
        return {
            **os.environ,
            "DATABASE_URL": self.dsn,
            "REDIS_URL": self.redis_url,
            "PORT": str(self.ports[name]),
            "OPS_PORT": str(self.ops_ports[name]),
            "NOTIFIER_PORT": str(self.ports["notifier"]),
            "LOG_LEVEL": "INFO",
            **self.settings,
        }

    def spawn(self, name: str) -> None:
        log = (self.home / f"{name}.log").open("ab")
        self.processes[name] = subprocess.Popen(
            [sys.executable, "-m", MODULES[name.partition("-")[0]]],
            env=self.environment(name),
            stdout=log,
            stderr=log,
            cwd=self.home,
        )
        log.close()

    async def start(self) -> None:
        for name in MODULES:
            self.spawn(name)
        for name in MODULES:
            await self.ready(name)

    def is_ready(self, name: str) -> bool:
        if self.processes[name].poll() is not None:
            log = (self.home / f"{name}.log").read_text()[-4000:]
            message = f"{name} died:\n{log}"
            raise AssertionError(message)
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ops_ports[name]}/health/ready", timeout=3) as answer:
                return int(answer.status) == 200
        except (urllib.error.URLError, OSError):
            return False

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
