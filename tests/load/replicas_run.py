"""One run over several processes of a service, on servers of its own."""

from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from typing import Any, NamedTuple

from swaprail_local.prepare_database import prepare_database
from swaprail_local.servers.postgres import EmbeddedPostgres
from swaprail_local.servers.valkey import EmbeddedValkey
from tests.invariants import check_invariants
from tests.load.homes import home_of_a_run
from tests.load.local_run import QUESTIONS
from tests.system.engine import MODULES, Engine


class Replicas(NamedTuple):
    """How many processes of each service there are; the notifier is one."""

    apis: int = 1
    routers: int = 1
    executors: int = 1

    def __str__(self) -> str:
        return f"{self.apis}/{self.routers}/{self.executors}"

    @property
    def names(self) -> list[str]:
        counts = {"api": self.apis, "router": self.routers, "executor": self.executors, "notifier": 1}
        return [f"{name}-{at}" if at > 1 else name for name in MODULES for at in range(1, counts[name] + 1)]


class ReplicasRun:
    """The engine's addresses and processes."""

    questions = QUESTIONS

    def __init__(self, engine: Engine, servers: dict[str, EmbeddedPostgres | EmbeddedValkey]) -> None:
        self._engine, self._servers = engine, servers
        self.dsn, self.redis_url = engine.dsn, engine.redis_url
        self.url, self.ws_url = engine.url, engine.ws_url

    @property
    def urls(self) -> list[str]:
        """Address of each API."""
        names = [name for name in self._engine.processes if name.startswith("api")]
        return [f"http://127.0.0.1:{self._engine.ports[name]}" for name in names]

    @property
    def pids(self) -> dict[str, int]:
        processes = {name: server.process for name, server in self._servers.items()} | self._engine.processes
        return {name: process.pid for name, process in processes.items() if process is not None}

    def log_tail(self) -> str:
        return "\n".join(log.read_text(errors="replace")[-1000:] for log in self._engine.home.glob("*.log"))

    async def check(self, accepted: Sequence[str], subscribers: Sequence[Any]) -> None:
        await check_invariants(self.dsn, accepted, subscribers)


@asynccontextmanager
async def replicas_run(replicas: Replicas, **settings: object) -> AsyncIterator[ReplicasRun]:
    """Start an engine of so many processes, and leave nothing of it behind."""
    with ExitStack() as stack:
        home = stack.enter_context(home_of_a_run())
        postgres, valkey = EmbeddedPostgres(home / "postgres"), EmbeddedValkey(home / "valkey")
        for server in (postgres, valkey):
            server.start()
            stack.callback(server.stop)
        dsn = postgres.dsn_of("swaprail")
        await prepare_database(dsn)
        (home / "logs").mkdir()
        engine = Engine(dsn, valkey.url, home / "logs", **settings)
        stack.callback(engine.close)
        for name in replicas.names:
            engine.spawn(name)
        for name in replicas.names:
            await engine.ready(name)
        yield ReplicasRun(engine, {"postgres": postgres, "valkey": valkey})
