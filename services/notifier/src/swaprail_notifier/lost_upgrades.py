"""Upgrade requests that a proxy has made plain ones of, as nginx does unless told otherwise: 404 would look like a missing order."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from swaprail.domain.errors import EngineError, ErrorCode
from swaprail_notifier import metrics
from swaprail_notifier.problems import problem_body, problem_headers

type Scope = MutableMapping[str, Any]
type Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
type App = Callable[..., Awaitable[None]]

UPGRADE_REQUIRED = 426


def telling_lost_upgrades(app: App) -> App:
    """Return the ASGI application with an answer to whoever asked for a WebSocket and did not come as one."""

    async def telling(scope: Scope, receive: object, send: Send) -> None:
        error = _lost_upgrade(scope)
        if error is None:
            await app(scope, receive, send)
            return
        metrics.REFUSED.labels(error.code).inc()
        upgrade = [("Upgrade", "websocket"), ("Connection", "upgrade")]
        await send_problem(send, error, UPGRADE_REQUIRED, upgrade)

    return telling


async def send_problem(send: Send, error: EngineError, status: int, more: list[tuple[str, str]] | None = None) -> None:
    """Answer a plain request with a problem."""
    body = problem_body(error, status)
    named = [*problem_headers(error, body), *(more or [])]
    headers = [(name.lower().encode(), value.encode()) for name, value in named]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _lost_upgrade(scope: Scope) -> EngineError | None:
    if scope["type"] != "http" or not scope["path"].startswith("/ws/"):
        return None
    names = {name for name, _ in scope["headers"]}
    if b"sec-websocket-key" not in names:
        return None
    missing = "Connection" if b"upgrade" in names else "Upgrade"
    return EngineError(
        ErrorCode.VALIDATION_FAILED,
        f"a WebSocket was asked for, but a proxy on the way left out the header {missing}",
        field=missing,
        title="The upgrade to WebSocket is missing",
        hint="Have the proxy pass `Upgrade: websocket` and `Connection: upgrade` on, over HTTP/1.1. nginx: "
        "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;",
    )
