"""Where everything is, for programs that drive a running engine."""

import os
from pathlib import Path

import msgspec


class RunStatus(msgspec.Struct, frozen=True):
    """What the status file holds. ops: base URL of each service's /metrics and /health."""

    ready: bool
    url: str
    ws_url: str
    dsn: str
    redis_url: str
    pids: dict[str, int]
    ops: dict[str, str]


def write_status(path: Path, status: RunStatus) -> None:
    """Replace the file in one step; only its owner may read it, since the DSN may hold a password."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(status)))
    fresh.replace(path)


def read_status(path: Path) -> RunStatus:
    return msgspec.json.decode(path.read_bytes(), type=RunStatus)
