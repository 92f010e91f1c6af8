"""WebSocket connections to the engine, and how long to go on reconnecting."""

import asyncio
import time
from collections.abc import AsyncIterator

import httpx
import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, WebSocketException

from swaprail_client.address import Address
from swaprail_client.errors import SwaprailError, error_of
from swaprail_client.orders import StatusMessage
from swaprail_client.retries import Backoff

# Closed with these, another connection would be closed too: protocol error, unsupported data, no UTF-8, policy violation.
FINAL_CODES = frozenset({1002, 1003, 1007, 1008})
PING_S = 10.0


class StreamBrokenError(Exception):
    """The stream skipped a step or sent something unreadable; a new connection starts after the last good step."""


# After these the stream goes on over a new connection.
BROKEN = (OSError, InvalidHandshake, WebSocketException, StreamBrokenError)


def open_socket(address: Address, path: str, **query: object) -> connect:
    """Return the context manager of one connection; a query parameter that is None is left out."""
    return connect(
        address.websocket(path, **query),
        additional_headers=address.headers,
        compression=None,
        open_timeout=PING_S,
        ping_interval=PING_S,
        ping_timeout=PING_S,
        close_timeout=1,
        proxy=None if address.is_loopback else True,
        user_agent_header="swaprail-client",
    )


class _Kind(msgspec.Struct):
    type: str = "status"


async def status_messages(socket: ClientConnection) -> AsyncIterator[StatusMessage]:
    """Yield the steps that arrive; messages of other types are passed over."""
    async for text in socket:
        try:
            if msgspec.json.decode(text, type=_Kind).type == "status":
                yield msgspec.json.decode(text, type=StatusMessage)
        except msgspec.MsgspecError as error:
            message = f"unreadable message: {error}"
            raise StreamBrokenError(message) from None


class Patience:
    """Waits between connections, and gives up when none has worked for give_up_after seconds."""

    def __init__(self, address: Address, backoff: Backoff, give_up_after: float) -> None:
        self._address = address
        self._backoff = backoff
        self._give_up_after = give_up_after
        self._failures = 0
        self._failing_since: float | None = None
        self._connected_at: float | None = None
        self._cancelled = _times_cancelled()

    def connected(self) -> None:
        """Note that a connection stands."""
        self._connected_at = time.monotonic()

    def progressed(self) -> None:
        """Note that a new step arrived: the next failure is a first one."""
        self._failures = 0
        self._failing_since = None

    async def pause(self, cause: Exception | None) -> None:
        """Wait before the next connection.

        Raises:
            CancelledError: the caller was told to stop, and the end of the connection has hidden it.
            SwaprailError: the server refused for good, or connection_lost when it is time to give up.

        """
        if _times_cancelled() > self._cancelled:
            raise asyncio.CancelledError
        refusal = self._refusal(cause)
        if refusal and not refusal.retryable and (refusal.status or 0) < 500:
            raise refusal from None
        now = time.monotonic()
        self._forgive(now)
        if self._failing_since is None:
            self._failing_since = now
        wait = self._backoff.wait(self._failures) + ((refusal and refusal.retry_after) or 0.0)
        self._failures += 1
        if now + wait - self._failing_since > self._give_up_after:
            raise refusal or self._given_up(cause)
        await asyncio.sleep(wait)

    def _forgive(self, now: float) -> None:
        # A connection that stood for a while worked, even if nothing happened meanwhile.
        if self._connected_at is not None and now - self._connected_at > PING_S:
            self.progressed()
        self._connected_at = None

    def _refusal(self, cause: Exception | None) -> SwaprailError | None:
        if isinstance(cause, InvalidStatus):
            answer = cause.response
            headers = httpx.Headers(list(answer.headers.raw_items()))
            return error_of(answer.status_code, headers, bytes(answer.body or b""), self._address.api_key)
        if isinstance(cause, ConnectionClosed) and cause.rcvd and cause.rcvd.code in FINAL_CODES:
            return SwaprailError("stream_refused", cause.rcvd.reason or f"closed with {cause.rcvd.code}")
        return None

    def _given_up(self, cause: Exception | None) -> SwaprailError:
        detail = f"no working connection for {self._give_up_after:g} s ({type(cause).__name__ if cause else 'closed'})"
        hint = "The order goes on without you: watch it again later."
        return SwaprailError("connection_lost", detail, hint=hint, retryable=True)


def _times_cancelled() -> int:
    # A caller that has caught its own cancellation may still watch an order to its end.
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()
