"""What a route is: how it is reached, who may call it, what it answers. Litestar and OpenAPI are fed from it."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Literal

import msgspec
from litestar.handlers import HTTPRouteHandler

from swaprail.auth import Scope
from swaprail.domain.errors import ErrorCode
from swaprail_api.http.answers import Answer, empty_answer

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


def litestar_handlers(endpoints: Iterable[Endpoint]) -> list[HTTPRouteHandler]:
    """Return the Litestar handlers of the endpoints, and of OPTIONS of their paths."""
    methods: dict[str, list[str]] = defaultdict(list)
    for endpoint in endpoints:
        methods[endpoint.path].append(endpoint.method)
    # OPTIONS first: Litestar makes its own for a path without one, and names only the methods of its first handler.
    return [*(_options_handler(path, taken) for path, taken in methods.items()), *map(_handler, endpoints)]


def _path(path: str) -> str:
    # A wallet may hold a slash, so it takes the rest of the path.
    path = path.replace("{wallet}", "{wallet:path}")
    for name in ("orderId", "keyId"):
        path = path.replace(f"{{{name}}}", f"{{{name}:str}}")
    return path


def _options_handler(path: str, methods: list[str]) -> HTTPRouteHandler:
    allow = (b"allow", ", ".join(sorted([*methods, "OPTIONS"])).encode())

    async def options() -> Answer:
        return empty_answer(allow)

    return HTTPRouteHandler(_path(path), http_method=["OPTIONS"], status_code=200)(options)


def _handler(endpoint: Endpoint) -> HTTPRouteHandler:
    path = _path(endpoint.path)
    handler = HTTPRouteHandler(path, http_method=[endpoint.method], status_code=200, opt={"endpoint": endpoint})
    return handler(_left_to_the_gate)


async def _left_to_the_gate() -> None:
    """Stand where Litestar wants a handler: the gate has called the endpoint's own."""
