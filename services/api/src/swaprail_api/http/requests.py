"""A request as handlers get it, and what they take from it."""

import re
from collections.abc import Sequence
from urllib.parse import parse_qsl
from uuid import UUID

import msgspec

from swaprail.auth import Principal
from swaprail.domain.errors import EngineError, ErrorCode
from swaprail_api.http.answers import Receive, Scope
from swaprail_api.http.bodies import HeaderMap, convert_fields

_MAX_PARAMETERS = 20
_PREFIX = re.compile(rb"(/[A-Za-z0-9._~-]+)+")
# Whoever stands in front of us may have read the other one.
_ONCE = (b"authorization", b"idempotency-key", b"content-type", b"content-encoding")


class Caller(msgspec.Struct):
    """Who sent a request, its headers, and its traceparent if it is traced."""

    principal: Principal
    headers: HeaderMap
    trace: str | None = None


class Request(msgspec.Struct):
    """What handlers are given. arrived: by time.monotonic(). caller is None where everybody may call."""

    scope: Scope
    receive: Receive
    arrived: float
    caller: Caller | None = None


def caller_of(request: Request) -> Caller:
    """Return who sent the request; only where not everybody may call."""
    assert request.caller is not None
    return request.caller


def refuse_repeated(sent: Sequence[tuple[bytes, bytes]], headers: HeaderMap) -> None:
    """Raise EngineError validation_failed when a header whose value we act on was sent twice."""
    if len(headers) == len(sent):
        return
    names = [name for name, _ in sent]
    for name in _ONCE:
        if names.count(name) > 1:
            raise EngineError(ErrorCode.VALIDATION_FAILED, "the header is repeated", field=name.decode())


def prefix_of(headers: HeaderMap) -> bytes:
    """Return the prefix that a proxy took from the path; whoever invents one misleads himself alone."""
    prefix = headers.get(b"x-forwarded-prefix", b"").rstrip(b"/")
    return prefix if _PREFIX.fullmatch(prefix) else b""


def query_of[T](request: Request, to: type[T]) -> T:
    """Return the query parameters; EngineError for unknown, repeated or malformed ones."""
    try:
        pairs = parse_qsl(
            request.scope["query_string"].decode("utf-8"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MAX_PARAMETERS,
        )
    except ValueError:
        raise EngineError(ErrorCode.VALIDATION_FAILED, "the query is malformed", field="query") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise EngineError(ErrorCode.VALIDATION_FAILED, "a parameter is repeated", field="query")
    return convert_fields(fields, to)


def order_id_of(request: Request) -> UUID:
    """Return the order of the path; what is no id is no order."""
    text = request.scope["path_params"]["orderId"]
    try:
        order_id = UUID(text)
    except ValueError:
        order_id = None
    if order_id is None or str(order_id) != text.lower():
        raise EngineError(ErrorCode.ORDER_NOT_FOUND, "no order of this account has the id")
    return order_id
