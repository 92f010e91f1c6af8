"""Who may pass: authentication, scope and rate limit of every route, and the one place that answers its errors.

Litestar only routes: the gate calls the handler itself, because the way from a request to an answer through Litestar
costs as much as the handler.
"""

import time
from typing import Any

from opentelemetry.trace import SpanKind

from swaprail.auth import KeyStore, Principal, authenticate
from swaprail.clock import database_time
from swaprail.domain.errors import EngineError, ErrorCode
from swaprail.runtime.client_address import counted_as
from swaprail.telemetry import tracing
from swaprail_api.http.answers import Answer, Receive, Scope, Send
from swaprail_api.http.bodies import MAX_BATCH_BODY, Counted, HeaderMap
from swaprail_api.http.endpoints import Endpoint
from swaprail_api.http.problems import problem_answer, unexpected
from swaprail_api.http.requests import Caller, Request, refuse_repeated
from swaprail_api.rate_limit import Allowance, RateLimitedError, RateLimiter
from swaprail_api.store.keys import KeyUsage

BYTES_OF_A_REQUEST = 1024


class Admission:
    """Decides whether a request passes."""

    def __init__(self, keys: KeyStore, usage: KeyUsage, limiter: RateLimiter, *, keys_required: bool) -> None:
        self._keys = keys
        self._usage = usage
        self._limiter = limiter
        self._keys_required = keys_required

    async def admit(self, scope: Scope, headers: HeaderMap, needed: str) -> tuple[Principal, Allowance | None]:
        """Return who calls and what is left of the rate limit; EngineError if the request may not pass."""
        sent = headers.get(b"authorization")
        address = _address(scope)
        try:
            principal = await authenticate(
                sent.decode("latin-1") if sent else None, self._keys, required=self._keys_required
            )
        except EngineError as error:
            # Guessing keys is bounded as well.
            if error.code is ErrorCode.UNAUTHENTICATED:
                await self._limiter.take("ip", address)
            raise
        if principal.key_id:
            self._usage.note(principal.key_id, database_time())
        allowance = await self._limiter.take(*_counted(principal, address), cost=_cost(headers))
        principal.require(needed)
        return principal, allowance

    def owe(self, principal: Principal, scope: Scope, received: int) -> None:
        """Count a body whose length nobody said before it came."""
        self._limiter.owe(*_counted(principal, _address(scope)), received // BYTES_OF_A_REQUEST)


def _counted(principal: Principal, address: str) -> tuple[str, str, int | None]:
    """Return by what a caller's requests are counted."""
    if principal.key_id:
        return "account", principal.account, principal.limits.requests
    return "ip", address, None


def _address(scope: Scope) -> str:
    return counted_as((scope.get("client") or ("unknown",))[0])


def _cost(headers: HeaderMap) -> int:
    """Return as how many requests one counts: a batch costs what its orders would, whether or not they are any good."""
    length = headers.get(b"content-length", b"")
    return 1 + (min(int(length), MAX_BATCH_BODY) // BYTES_OF_A_REQUEST if length.isdigit() else 0)


class Gate:
    """Middleware below the router: every route passes it, and a route that says nothing of scopes cannot exist."""

    def __init__(self, app: Any, admission: Admission) -> None:
        self._app = app
        self._admission = admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request if it may pass, else its problem."""
        endpoint: Endpoint | None = scope["route_handler"].opt.get("endpoint")
        if endpoint is None:
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive, time.monotonic())
        if endpoint.scope is None:
            answer = await self._answer(endpoint, request, None)
            await answer(scope, receive, send)
            return
        headers: HeaderMap = dict(scope["headers"])
        sent = headers.get(b"traceparent")
        name = f"{endpoint.method} {endpoint.path}"
        with tracing.span(name, sent.decode("latin-1") if sent else None, kind=SpanKind.SERVER, root=True) as span:
            answer = await self._admit(endpoint, request, headers, tracing.traceparent(span))
            await answer(scope, receive, send)

    async def _admit(self, endpoint: Endpoint, request: Request, headers: HeaderMap, trace: str | None) -> Answer:
        assert endpoint.scope is not None
        try:
            refuse_repeated(request.scope["headers"], headers)
            principal, allowance = await self._admission.admit(request.scope, headers, endpoint.scope)
        except RateLimitedError as error:
            retry = (b"retry-after", b"%d" % error.allowance.reset_s)
            return problem_answer(error, trace, [retry, *error.allowance.headers()])
        except EngineError as error:
            return problem_answer(error, trace)
        request.caller = Caller(principal, headers, trace)
        body = None
        if b"transfer-encoding" in headers:
            body = Counted(request.receive)
            request.receive = body.receive
        answer = await self._answer(endpoint, request, trace)
        if body is not None:
            self._admission.owe(principal, request.scope, body.received)
        if allowance:
            answer.headers += allowance.headers()
        return answer

    async def _answer(self, endpoint: Endpoint, request: Request, trace: str | None) -> Answer:
        try:
            return await endpoint.handle(request)
        except EngineError as error:
            return problem_answer(error, trace)
        except Exception as error:  # noqa: BLE001 - logged, and answered as 500
            return problem_answer(unexpected(error), trace)
