"""What handlers take from a request."""

from typing import Any, cast
from urllib.parse import parse_qsl
from uuid import UUID

from litestar import Request

from swaprail.domain.errors import EngineError, ErrorCode
from swaprail_api.http.bodies import convert_fields
from swaprail_api.http.gate import CALLER, Caller

AnyRequest = Request[Any, Any, Any]

_MAX_PARAMETERS = 20


def caller_of(request: AnyRequest) -> Caller:
    """Return who sent the request; the gate has put it there."""
    caller: Caller = cast("dict[str, Any]", request.scope)[CALLER]
    return caller


def query_of[T](request: AnyRequest, to: type[T]) -> T:
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


def order_id_of(request: AnyRequest) -> UUID:
    """Return the order of the path; what is no id is no order."""
    text = request.scope["path_params"]["orderId"]
    try:
        order_id = UUID(text)
    except ValueError:
        order_id = None
    if order_id is None or str(order_id) != text.lower():
        raise EngineError(ErrorCode.ORDER_NOT_FOUND, "no order of this account has the id")
    return order_id
