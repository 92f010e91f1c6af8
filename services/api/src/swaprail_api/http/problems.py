"""The one place where errors become application/problem+json (RFC 9457)."""

import re
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException

from swaprail.db.away import is_unmigrated, unmigrated
from swaprail.domain.errors import CATALOGUE, EngineError, ErrorCode
from swaprail.domain.lifecycle import Status
from swaprail.telemetry.causes import cause_of
from swaprail.telemetry.logging import get_logger
from swaprail_api.http.answers import PROBLEM, Answer, Headers, encode
from swaprail_api.metrics import REJECTED
from swaprail_api.schemas.amounts import NOT_DECIMAL

log = get_logger(__name__)

TYPE_BASE = "/docs#problem-"
RETRY_AFTER_S = 1
_WAIT = {
    ErrorCode.RATE_LIMITED,
    ErrorCode.ACCOUNT_LIMIT,
    ErrorCode.OVERLOADED,
    ErrorCode.UNAVAILABLE,
    ErrorCode.QUOTES_UNAVAILABLE,
}
_PLACE = re.compile(r"^(?P<what>.*?)(?: - at `(?P<path>[^`]*)`)?$", re.DOTALL)
_NAMED = re.compile(r"^Object (?:missing required|contains unknown) field `(?P<name>[^`]*)`$")


class FieldError(msgspec.Struct, frozen=True):
    """What is wrong with one field."""

    field: str
    message: str


class Problem(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """An error, as clients are told it. code is stable; a refused change has found, the status it met."""

    type: str
    title: str
    status: int
    detail: str
    code: ErrorCode
    hint: str
    retryable: bool
    trace_id: str | None = None
    errors: list[FieldError] | None = None
    found: Status | None = None
    queued: bool | None = None


def problem(error: EngineError, trace_id: str | None = None) -> Problem:
    """Return what clients are told of an error."""
    kind = error.kind
    return Problem(
        type=f"{TYPE_BASE}{error.code}",
        title=kind.title,
        status=kind.http_status,
        detail=error.detail,
        code=error.code,
        hint=kind.hint,
        retryable=kind.retryable,
        trace_id=trace_id,
        errors=None if error.field is None else [FieldError(error.field, error.detail)],
    )


def problem_answer(error: EngineError, trace: str | None = None, headers: Headers = ()) -> Answer:
    """Return the answer of an error. trace is the request's traceparent, if it has one."""
    REJECTED.labels(error.code).inc()
    given: list[tuple[bytes, bytes]] = list(headers)
    if error.code in _WAIT and not any(name == b"retry-after" for name, _ in given):
        given.append((b"retry-after", b"%d" % RETRY_AFTER_S))
    if error.code is ErrorCode.UNAUTHENTICATED:
        given.append((b"www-authenticate", b'Bearer realm="swaprail"'))
    told = problem(error, trace.split("-")[1] if trace else None)
    content = msgspec.to_builtins(told) | error.extra if error.extra else told
    return Answer(told.status, encode(content), PROBLEM, given)


def invalid(error: msgspec.DecodeError, where: str = "") -> EngineError:
    """Return what msgspec found wrong as an error of the catalogue, naming the field."""
    if not isinstance(error, msgspec.ValidationError):
        return EngineError(ErrorCode.BODY_INVALID, f"the body is not valid JSON: {error}")
    match = _PLACE.match(str(error))
    assert match is not None
    what, path = match["what"], (match["path"] or "").removeprefix("$").removeprefix(".")
    named = _NAMED.match(what)
    if named:
        path = f"{path}.{named['name']}" if path else named["name"]
    code = ErrorCode.AMOUNT_INVALID if what == NOT_DECIMAL else ErrorCode.VALIDATION_FAILED
    return EngineError(code, what, field=f"{where}{path}" or "body")


def unexpected(error: Exception) -> EngineError:
    """Return the error that a client is told when the engine itself failed; log the cause."""
    if is_unmigrated(error):
        log.error("the database is not migrated", cause=cause_of(error))
        return unmigrated()
    log.error("request failed", exc_info=error)
    return EngineError(ErrorCode.INTERNAL, "the request failed inside the engine")


def handle_exception(_request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Answer what Litestar itself raises: unknown paths and methods, and whatever else."""
    answer = problem_answer(_of_framework(error))
    headers = {name.decode(): value.decode() for name, value in answer.headers if name != b"content-length"}
    if isinstance(error, HTTPException):
        headers |= error.headers or {}
    return Response(answer.body, status_code=answer.status, headers=headers, media_type="application/problem+json")


def _of_framework(error: Exception) -> EngineError:
    if isinstance(error, EngineError):
        return error
    if isinstance(error, MethodNotAllowedException):
        return EngineError(ErrorCode.METHOD_NOT_ALLOWED, "the path does not take this method")
    if isinstance(error, NotFoundException):
        return EngineError(ErrorCode.NOT_FOUND, "no such path")
    if isinstance(error, HTTPException) and error.status_code < 500:
        return EngineError(ErrorCode.VALIDATION_FAILED, error.detail)
    return unexpected(error)


assert set(CATALOGUE) == set(ErrorCode)
