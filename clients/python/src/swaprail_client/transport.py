"""HTTP calls with one overall deadline and retries where repeating is safe."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Self

import httpx
import msgspec
import stamina

from swaprail_client.address import Address
from swaprail_client.errors import SwaprailError, error_of
from swaprail_client.idempotency import IDEMPOTENCY_KEY, chosen_key
from swaprail_client.retries import Backoff, RetryRule
from swaprail_client.surroundings import http_client

JSON = {"Content-Type": "application/json"}
HALF_A_SECOND = timedelta(seconds=0.5)  # a Date has whole seconds: so much has passed since, on average
ACCEPT = {"Accept": "application/json, application/problem+json"}

type Once[T] = Callable[[httpx.Request], Awaitable[T]]


class Transport:
    """Sends requests to one engine. timeout bounds a whole call, try_timeout each of its tries (seconds)."""

    def __init__(self, address: Address, *, timeout: float, try_timeout: float, backoff: Backoff) -> None:
        self.address = address
        self.backoff = backoff
        self._timeout = timeout
        self._http = http_client(
            headers={**ACCEPT, **address.headers},
            timeout=min(timeout, try_timeout),
            limits=httpx.Limits(max_connections=100, max_keepalive_connections=20),
            trust_env=not address.is_loopback,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def get(self, path: str, **query: object) -> bytes:
        """Return the body of an answer; a parameter that is None is left out."""
        params = {name: str(value) for name, value in query.items() if value is not None}
        return await self._call(self._request("GET", path, params=params), self._once, repeatable=True)

    async def clock_offset(self, path: str) -> timedelta:
        """Return how far the clock of whoever answers is before ours, to a second; zero where it tells no time."""
        return await self._call(self._request("GET", path), self._offset_once, repeatable=True)

    async def post(self, path: str, body: object = None, *, key: str | None = None) -> bytes:
        """Post once under an Idempotency-Key, which every retry repeats, body and all."""
        key = chosen_key(key)
        headers = {IDEMPOTENCY_KEY: key}
        try:
            request = self._request("POST", path, headers=headers, content=_encode(body))
            return await self._call(request, self._once, repeatable=True)
        except SwaprailError as error:
            error.idempotency_key = key
            raise

    async def send_once(self, method: str, path: str, body: object = None) -> bytes:
        """Send a request that must not be repeated once it may have arrived."""
        return await self._call(self._request(method, path, content=_encode(body)), self._once, repeatable=False)

    async def probe(self, path: str) -> tuple[int, bytes]:
        """Return status and body of one try of a GET, whatever the status."""
        try:
            async with asyncio.timeout(self._timeout):
                answer = await self._http.send(self._request("GET", path))
        except (TimeoutError, httpx.HTTPError) as error:
            raise _given_up(error, self._timeout) from None
        return answer.status_code, answer.content

    def _request(self, method: str, path: str, **parts: Any) -> httpx.Request:
        headers = {**parts.pop("headers", {}), **(JSON if parts.get("content") else {})}
        return self._http.build_request(method, self.address.http(path), headers=headers, **parts)

    async def _call[T](self, request: httpx.Request, once: Once[T], *, repeatable: bool) -> T:
        rule = RetryRule(repeatable=repeatable, deadline=time.monotonic() + self._timeout, backoff=self.backoff)
        try:
            async with asyncio.timeout(self._timeout):
                return await self._with_retries(request, once, rule)
        except (TimeoutError, httpx.HTTPError, SwaprailError) as error:
            cause = (rule.last or error) if isinstance(error, TimeoutError) else error
            final = _given_up(cause, self._timeout)
            final.in_doubt = rule.in_doubt
            raise final from None

    async def _with_retries[T](self, request: httpx.Request, once: Once[T], rule: RetryRule) -> T:
        caller = stamina.AsyncRetryingCaller(
            attempts=None,
            timeout=self._timeout,
            wait_initial=self.backoff.initial,
            wait_max=self.backoff.longest,
            wait_jitter=self.backoff.jitter,
        )
        return await caller.on(rule)(once, request)

    async def _once(self, request: httpx.Request) -> bytes:
        answer = await self._http.send(request)
        if not answer.is_success:
            raise error_of(answer.status_code, answer.headers, answer.content, self.address.api_key)
        return answer.content

    async def _offset_once(self, request: httpx.Request) -> timedelta:
        sent = datetime.now(UTC)
        answer = await self._http.send(request)
        between = sent + (datetime.now(UTC) - sent) / 2
        told = _date(answer.headers.get("date", ""))
        return told + HALF_A_SECOND - between if told else timedelta()


def _date(header: str) -> datetime | None:
    try:
        return parsedate_to_datetime(header).astimezone(UTC)
    except ValueError:
        return None


def _encode(body: object) -> bytes | None:
    return None if body is None else msgspec.json.encode(body)


def _given_up(error: Exception, timeout: float) -> SwaprailError:
    if isinstance(error, SwaprailError):
        return error
    hint = "Check the URL, and that the engine runs."
    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return SwaprailError("timeout", f"no answer within {timeout:g} s", hint=hint, retryable=True)
    detail = f"the engine cannot be reached ({type(error).__name__})"
    return SwaprailError("connection_failed", detail, hint=hint, retryable=True)
