"""Errors as answers to a handshake or a plain request: application/problem+json."""

from http import HTTPStatus

import msgspec
from websockets.datastructures import Headers
from websockets.http11 import Response

from swaprail.domain.errors import EngineError, ErrorCode

RETRY_AFTER_S = 1
_WAIT = {ErrorCode.RATE_LIMITED, ErrorCode.OVERLOADED, ErrorCode.UNAVAILABLE}


def problem_body(error: EngineError, status: int | None = None) -> bytes:
    """Return the problem of an error as JSON; status replaces the one of the catalogue."""
    kind = error.kind
    fields: dict[str, object] = {
        "type": f"/docs#problem-{error.code}",
        "title": kind.title,
        "status": status or kind.http_status,
        "detail": error.detail,
        "code": error.code,
        "hint": kind.hint,
        "retryable": kind.retryable,
    }
    if error.field is not None:
        fields["errors"] = [{"field": error.field, "message": error.detail}]
    return msgspec.json.encode(fields | error.extra)


def problem_headers(error: EngineError, body: bytes) -> list[tuple[str, str]]:
    """Return the headers that go with the body."""
    headers = [("Content-Type", "application/problem+json"), ("Content-Length", str(len(body)))]
    if error.code in _WAIT:
        headers.append(("Retry-After", str(RETRY_AFTER_S)))
    if error.code is ErrorCode.UNAUTHENTICATED:
        headers.append(("WWW-Authenticate", 'Bearer realm="swaprail"'))
    return headers


def problem_response(error: EngineError, given: Response | None = None) -> Response:
    """Return the answer that refuses a handshake; given is a refusal whose status and headers are kept."""
    status = given.status_code if given else error.kind.http_status
    body = problem_body(error, status)
    headers = Headers([*problem_headers(error, body), ("Connection", "close")])
    if given is not None:
        for name in ("Allow", "Upgrade"):
            if name in given.headers:
                headers[name] = given.headers[name]
    return Response(status, HTTPStatus(status).phrase, headers, body)
