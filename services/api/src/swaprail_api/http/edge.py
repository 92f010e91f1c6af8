"""The outermost layer: times every request, answered or not, and lets HEAD be GET without a body."""

from time import perf_counter
from typing import Any

from swaprail_api.http.answers import Message, Receive, Scope, Send
from swaprail_api.metrics import ACTIVE, REQUESTS

_METHODS = {"GET", "POST", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS"}


class Edge:
    """Wraps the whole application."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._active = 0
        self._timers: dict[tuple[str, str, int], Any] = {}
        ACTIVE.set_function(lambda: self._active)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; other protocols pass."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = perf_counter()
        status = 500
        head = scope["method"] == "HEAD"
        inner = {**scope, "method": "GET"} if head else scope

        async def observe(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            elif head:
                message = {**message, "body": b""}
            await send(message)

        self._active += 1
        try:
            await self._app(inner, receive, observe)
        finally:
            self._active -= 1
            self._timer(scope["method"], inner, status).observe(perf_counter() - began)

    def _timer(self, method: str, scope: Scope, status: int) -> Any:
        handler = scope.get("route_handler")
        endpoint = handler.opt.get("endpoint") if handler else None
        name = (method if method in _METHODS else "_OTHER", endpoint.path if endpoint else "", status)
        timer = self._timers.get(name)
        if timer is None:
            timer = self._timers[name] = REQUESTS.labels(*map(str, name))
        return timer
