"""PostgreSQL and Redis of a run: embedded, unless the settings name others."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from swaprail_local.servers.ports import free_port, port_is_free
from swaprail_local.servers.postgres import EmbeddedPostgres
from swaprail_local.servers.valkey import EmbeddedValkey
from swaprail_local.settings import LocalSettings
from swaprail_local.supervision.child import ProcessSpec


@dataclass(frozen=True)
class Backends:
    """Where the servers are, and the processes to start for them."""

    dsn: str
    redis_url: str
    specs: list[ProcessSpec] = field(default_factory=list)


def choose_backends(settings: LocalSettings, data: Path) -> Backends:
    """Decide which servers to start below the data directory; their ports are kept over restarts."""
    ports = _ports(data / "ports.json", ("postgres", "valkey"))
    dsn, redis_url, specs = settings.dsn, settings.redis_dsn, []
    if settings.embeds_postgres:
        postgres = EmbeddedPostgres(data / "postgres", ports["postgres"])
        dsn = postgres.dsn_of(settings.db_name)
        specs.append(_spec("postgres", postgres))
    if settings.embeds_valkey:
        valkey = EmbeddedValkey(data / "valkey", ports["valkey"])
        redis_url = valkey.url
        specs.append(_spec("valkey", valkey))
    return Backends(dsn, redis_url, specs)


def _spec(name: str, server: EmbeddedPostgres | EmbeddedValkey) -> ProcessSpec:
    return ProcessSpec(
        name=name,
        prepare=server.prepare,
        spawn=server.spawn,
        ready=_asynchronous(server.ready),
        stop_signal=server.stop_signal,
        stop_timeout_s=30,
        forced_stop_timeout_s=5,
    )


def _asynchronous(ask: Callable[[], bool]) -> Callable[[], Awaitable[bool]]:
    async def ready() -> bool:
        return ask()

    return ready


def _ports(file: Path, names: tuple[str, ...]) -> dict[str, int]:
    try:
        known = msgspec.json.decode(file.read_bytes(), type=dict[str, int])
    except (OSError, msgspec.DecodeError):
        known = {}
    ports = {name: port if (port := known.get(name, 0)) and port_is_free(port) else free_port() for name in names}
    file.write_bytes(msgspec.json.encode(ports))
    return ports
