"""The guarded operations and WebSocket paths, as the documents name them: a new one is covered, or a test fails."""

import json
from pathlib import Path
from typing import Any, NamedTuple

SCHEMAS = Path(__file__).parents[2] / "schemas"
_QUERIES = {"/api/quotes": {"inputToken": "SOL", "outputToken": "USDC", "inputAmount": "1"}}


class Operation(NamedTuple):
    """One method of one path."""

    method: str
    path: str
    scope: str
    body: Any
    keyed: bool

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def query(self) -> dict[str, str]:
        return _QUERIES.get(self.path, {})


def guarded() -> list[Operation]:
    """Return what needs a key, sorted by path."""
    paths = json.loads((SCHEMAS / "openapi.json").read_text())["paths"]
    return [
        _operation(method.upper(), path, described)
        for path, methods in sorted(paths.items())
        for method, described in methods.items()
        if described["security"]
    ]


def ws_paths() -> list[str]:
    """Return the paths of WebSockets, with their parameters."""
    channels = json.loads((SCHEMAS / "asyncapi.json").read_text())["channels"].values()
    return sorted(c["address"] for c in channels if (c["address"] or "").startswith("/ws/"))


def _operation(method: str, path: str, described: dict[str, Any]) -> Operation:
    scope = described["description"].split("`")[1]
    content = described.get("requestBody", {}).get("content", {})
    body = content["application/json"]["example"] if content else None
    keyed = any(parameter["name"] == "Idempotency-Key" for parameter in described["parameters"])
    return Operation(method, path, scope, body, keyed)
