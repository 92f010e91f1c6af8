"""Who may pass: authentication, scope and rate limit of every route, and the one place that answers its errors."""

import time
from typing import Any

import msgspec
from opentelemetry.trace import SpanKind

from swaprail.auth import KeyStore, Principal, authenticate
from swaprail.domain.errors import EngineError, ErrorCode
from swaprail.telemetry import tracing
from swaprail_api.http.answers import Headers, Message, Receive, Scope, Send
from swaprail_api.http.bodies import HeaderMap
from swaprail_api.http.endpoints import Endpoint
from swaprail_api.http.problems import problem_answer, unexpected
from swaprail_api.rate_limit import Allowance, RateLimitedError, RateLimiter
from swaprail_api.store.keys import KeyUsage

CALLER = "swaprail.caller"


class Caller(msgspec.Struct):
    """Who sent a request, its headers, and its traceparent if it is traced."""

    principal: Principal
    headers: HeaderMap
    trace: str | None = None


class Admission:
    """Decides whether a request passes."""

    def __init__(self, keys: KeyStore, usage: KeyUsage, limiter: RateLimiter | None, *, keys_required: bool) -> None:
        self._keys = keys
        self._usage = usage
        self._limiter = limiter
        self._keys_required = keys_required

    async def admit(self, scope: Scope, headers: HeaderMap, needed: str) -> tuple[Principal, Allowance | None]:
        """Return who calls and what is left of the rate limit; EngineError if the request may not pass."""
        sent = headers.get(b"authorization")
        address = (scope.get("client") or ("unknown",))[0]
        try:
            principal = await authenticate(
                sent.decode("latin-1") if sent else None, self._keys, required=self._keys_required
            )
        except EngineError as error:
            # Guessing keys is bounded as well.
            if self._limiter and error.code is ErrorCode.UNAUTHENTICATED:
                await self._limiter.take("ip", address)
            raise
        if principal.key_id:
            self._usage.note(principal.key_id, time.time())
        allowance = await self._count(principal, address)
        principal.require(needed)
        return principal, allowance

    async def _count(self, principal: Principal, address: str) -> Allowance | None:
        if self._limiter is None:
            return None
        if principal.key_id:
            return await self._limiter.take("key", principal.key_id)
        return await self._limiter.take("ip", address)


class Gate:
    """Middleware below the router: every route passes it, and a route that says nothing of scopes cannot exist."""

    def __init__(self, app: Any, admission: Admission) -> None:
        self._app = app
        self._admission = admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request pass, or answer its problem."""
        endpoint: Endpoint | None = scope["route_handler"].opt.get("endpoint")
        if endpoint is None or endpoint.scope is None:
            await self._answer(scope, receive, send, None, ())
            return
        headers: HeaderMap = dict(scope["headers"])
        if not tracing.enabled():
            await self._pass(scope, receive, send, endpoint, headers, None)
            return
        sent = headers.get(b"traceparent", b"").decode("latin-1") or None
        name = f"{endpoint.method} {endpoint.path}"
        with tracing.span(name, sent, kind=SpanKind.SERVER, root=True) as span:
            await self._pass(scope, receive, send, endpoint, headers, tracing.traceparent(span))

    async def _pass(
        self, scope: Scope, receive: Receive, send: Send, endpoint: Endpoint, headers: HeaderMap, trace: str | None
    ) -> None:
        assert endpoint.scope is not None
        try:
            principal, allowance = await self._admission.admit(scope, headers, endpoint.scope)
        except RateLimitedError as error:
            retry = (b"retry-after", b"%d" % error.allowance.reset_s)
            await problem_answer(error, trace, [retry, *error.allowance.headers()])(scope, receive, send)
            return
        except EngineError as error:
            await problem_answer(error, trace)(scope, receive, send)
            return
        scope[CALLER] = Caller(principal, headers, trace)
        await self._answer(scope, receive, send, trace, allowance.headers() if allowance else ())

    async def _answer(self, scope: Scope, receive: Receive, send: Send, trace: str | None, extra: Headers) -> None:
        if extra:
            send = _with_headers(send, extra)
        try:
            await self._app(scope, receive, send)
        except EngineError as error:
            await problem_answer(error, trace)(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - logged, and answered as 500
            await problem_answer(unexpected(error), trace)(scope, receive, send)


def _with_headers(send: Send, extra: Headers) -> Send:
    async def send_more(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], *extra]
        await send(message)

    return send_more
