"""What a route is: how it is reached, who may call it, what it answers. Litestar and OpenAPI are fed from it."""

from collections.abc import Awaitable, Callable
from typing import Any, Literal

import msgspec
from litestar.handlers import HTTPRouteHandler

from swaprail.auth import Scope
from swaprail.domain.errors import ErrorCode
from swaprail_api.http.answers import Answer

type Handle = Callable[..., Awaitable[Answer]]


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One route. scope None: open to everybody. idempotent: takes an Idempotency-Key."""

    method: Literal["GET", "POST", "DELETE"]
    path: str
    handle: Handle
    summary: str
    group: str
    scope: Scope | None
    answers: dict[int, tuple[str, Any]]
    body: Any = None
    query: Any = None
    idempotent: bool = False
    errors: tuple[ErrorCode, ...] = ()
    media_type: str = "application/json"
    example: dict[str, object] | None = None


def litestar_handler(endpoint: Endpoint) -> HTTPRouteHandler:
    """Return the Litestar handler of an endpoint. Handlers return ready bytes, so Litestar only routes."""
    # A wallet may hold a slash, so it takes the rest of the path.
    path = endpoint.path.replace("{wallet}", "{wallet:path}")
    for name in ("orderId", "keyId"):
        path = path.replace(f"{{{name}}}", f"{{{name}:str}}")
    handler = HTTPRouteHandler(path, http_method=[endpoint.method], status_code=200, opt={"endpoint": endpoint})
    return handler(endpoint.handle)
