"""The one error of this library, and the problem documents it comes from."""

from typing import Any

import httpx
import msgspec


class FieldError(msgspec.Struct, frozen=True):
    """A field that was refused, and why."""

    field: str = ""
    message: str = ""


class Problem(msgspec.Struct, frozen=True, rename="camel"):
    """The members of application/problem+json that the engine sets. retryable is None when it was not said."""

    title: str = ""
    status: int | None = None
    detail: str = ""
    code: str = ""
    hint: str = ""
    retryable: bool | None = None
    trace_id: str | None = None
    errors: list[FieldError] = []


RETRYABLE_STATUSES = frozenset({429, 502, 503, 504})
FOREIGN_HINT = (
    "This is not the engine's answer but a proxy's: none of its pods may be there now, or the URL is another's."
)


class SwaprailError(Exception):
    """A call that did not succeed.

    code is stable. status is the HTTP status, None when there was no answer. retryable tells whether the same call may
    succeed later. retry_after is in seconds. idempotency_key is the one the call was made with: an order that may have
    been accepted is posted again with it. in_doubt tells that the call may have taken effect although it failed. extra holds the problem's other members, such as the status "found".
    """

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        title: str = "",
        status: int | None = None,
        hint: str = "",
        retryable: bool = False,
        trace_id: str | None = None,
        retry_after: float | None = None,
        errors: tuple[FieldError, ...] = (),
        extra: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
        self.title = title or code.replace("_", " ").capitalize()
        self.status = status
        self.hint = hint
        self.retryable = retryable
        self.trace_id = trace_id
        self.retry_after = retry_after
        self.errors = errors
        self.extra = extra or {}
        self.idempotency_key: str | None = None
        self.in_doubt = False

    def __str__(self) -> str:
        told = f"{self.title}: {self.detail}" if self.detail.casefold() not in self.title.casefold() else self.title
        parts = [told]
        parts += [f"{error.field}: {error.message}" for error in self.errors if error.message not in self.detail]
        parts += [self.hint, "Retrying may help." if self.retryable else "Retrying will not help."]
        parts += [f"Trace {self.trace_id}." if self.trace_id else ""]
        return " ".join(part if part.endswith((".", "?", "!")) else f"{part}." for part in parts if part)

    def as_dict(self) -> dict[str, Any]:
        """Return the members of a problem document, for output as JSON."""
        named = {
            "code": self.code, "title": self.title, "status": self.status, "detail": self.detail, "hint": self.hint,
            "retryable": self.retryable, "traceId": self.trace_id, "errors": list(self.errors),
            "idempotencyKey": self.idempotency_key, "inDoubt": self.in_doubt,
        }  # fmt: skip
        return {**self.extra, **named}


def error_of(status: int, headers: httpx.Headers, body: bytes, secret: str | None = None) -> SwaprailError:
    """Return the error that an answer stands for, whether or not it is a problem document."""
    if secret:
        body = body.replace(secret.encode(), b"***")
    problem, extra = _parse(body)
    foreign = not problem.code
    told = True if foreign and _is_passing(status) else problem.retryable
    return SwaprailError(
        problem.code or f"http_{status}",
        problem.detail or f"the server answered HTTP {status}",
        title=problem.title,
        status=status,
        hint=problem.hint or (FOREIGN_HINT if foreign else ""),
        retryable=status in RETRYABLE_STATUSES if told is None else told,
        trace_id=problem.trace_id,
        retry_after=_seconds(headers.get("retry-after")),
        errors=tuple(problem.errors),
        extra=extra,
    )


def _is_passing(status: int) -> bool:
    """Tell whether a proxy may answer so for a while: 404 is what some say of a service that has no pod."""
    return status == 404 or status > 500


def _parse(body: bytes) -> tuple[Problem, dict[str, Any]]:
    try:
        problem = msgspec.json.decode(body, type=Problem)
        members = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Problem(), {}
    known = {"type", *(field.encode_name for field in msgspec.structs.fields(Problem))}
    return problem, {name: value for name, value in members.items() if name not in known}


def _seconds(header: str | None) -> float | None:
    return float(header) if header and header.isdigit() else None
