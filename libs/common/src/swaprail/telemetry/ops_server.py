"""/metrics and /health of a service, on a port of its own.

It answers from the service's own event loop, and that is what makes liveness mean something: a loop that is blocked
answers nobody, so the probe fails and the process is replaced. Liveness asks no dependency: starting anew would not
bring back a database, and would only add a storm of connections to its troubles.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec

from swaprail.telemetry import registry
from swaprail.telemetry.health import Health

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
type Answer = tuple[int, bytes, bytes]

JSON = b"application/json"


async def answer(path: str, health: Health) -> Answer | None:
    """Return (status, content type, body) for an operations path, else None."""
    if path == "/metrics":
        return 200, registry.CONTENT_TYPE.encode(), registry.render()
    if path == "/health/live":
        return 200, JSON, b'{"live":true}'
    if path == "/health/started":
        return (200, JSON, b'{"started":true}') if health.started else (503, JSON, b'{"started":false}')
    if path not in ("/health", "/health/ready"):
        return None
    report = await health.report()
    return (200 if report.ready or path == "/health" else 503), JSON, msgspec.json.encode(report)


def ops_app(health: Health) -> Callable[..., Awaitable[None]]:
    """Return the ASGI application of the operations port."""

    async def app(scope: MutableMapping[str, Any], _receive: object, send: Send) -> None:
        if scope["type"] != "http":
            return
        found = await answer(scope["path"], health)
        status, content_type, body = found or (404, JSON, b'{"title":"There is nothing here","status":404}')
        headers = [(b"content-type", content_type), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app
