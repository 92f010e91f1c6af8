"""uvicorn's HTTP protocol with the bounds it lacks: a request is limited in bytes, its head in time, offers are ignored."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from swaprail.runtime.client_address import plain_address
from swaprail.runtime.lingering_close import LingeringClose
from swaprail.runtime.offered_upgrades import OfferBlindParser

MAX_HEAD_BYTES = 32 * 1024
MAX_REQUEST_BYTES = 2 * 1024 * 1024  # for what is still sent after its refusal; nginx passes on 1 MiB
HEAD_TIMEOUT_S = 10.0

_BODY = (
    b'{"type":"/docs#problem-validation_failed","title":"The request is not valid","status":%d,"detail":"%s",'
    b'"code":"validation_failed","hint":"Send HTTP/1.1, with a head of at most 32 KiB, at once.","retryable":false}'
)


class BoundedHttp(HttpToolsProtocol):
    """Refuses heads that grow too large or come too slowly, and closes connections that send nothing.

    llhttp keeps whatever it is sent until the head is complete, and uvicorn sets a timer only after an answer.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.parser = OfferBlindParser(self, websockets=self.ws_protocol_class is not None)  # type: ignore[assignment]
        self._bytes = 0
        self._in_head = True
        self._head_timer: asyncio.TimerHandle | None = None
        self._end: LingeringClose | None = None
        self._refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request no longer than for the rest of one."""
        super().connection_made(transport)
        if self.client is not None:
            self.client = (plain_address(self.client), self.client[1])
        self._head_timer = self.loop.call_later(HEAD_TIMEOUT_S, self._too_slow)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timer."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes; those of a request are counted."""
        self._bytes += len(data)
        if self._refused:
            self._read_on()
            return
        super().data_received(data)
        if self._has_ended():
            return
        if self._bytes > (MAX_HEAD_BYTES if self._in_head else MAX_REQUEST_BYTES):
            self._refuse(431, b"Request Header Fields Too Large", b"the request is too large")
        elif self._in_head and self._bytes and self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_TIMEOUT_S, self._too_slow)

    def on_headers_complete(self) -> None:
        """Stop the clock: what follows has the time of bodies. Where the connection ends, nothing is begun that it has sent."""
        if self._has_ended():
            return
        self._in_head = False
        self._stop_timer()
        before = self.cycle
        super().on_headers_complete()
        if self.cycle is not before:
            self._end = LingeringClose(self.transport)
            self.cycle.transport = self._end  # type: ignore[assignment]

    def on_message_complete(self) -> None:
        """Count anew: what follows is the head of another request."""
        super().on_message_complete()
        if self._end is not None:
            self._end.request_read()
        self._bytes = 0
        self._in_head = True

    def send_400_response(self, msg: str) -> None:
        """Say in the words of every other problem that this is no HTTP."""
        self._refuse(400, b"Bad Request", msg.encode("ascii"))

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _too_slow(self) -> None:
        self._head_timer = None
        if self._bytes:
            self._refuse(408, b"Request Timeout", b"the head did not arrive in time")
        else:
            self.transport.close()

    def _refuse(self, status: int, phrase: bytes, detail: bytes) -> None:
        if self._has_ended():
            return
        if not self._may_answer():
            self.transport.abort()
            return
        body = _BODY % (status, detail)
        head = b"HTTP/1.1 %d %s\r\ncontent-type: application/problem+json\r\n" % (status, phrase)
        self.transport.write(head + b"content-length: %d\r\nconnection: close\r\n\r\n" % len(body) + body)
        self._refused = True
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and not cycle.response_complete:
            cycle.disconnected = True  # it writes nothing more, and waits for no body
            cycle.message_event.set()
        LingeringClose(self.transport).close()

    def _has_ended(self) -> bool:
        return self._refused or self.transport.is_closing()

    def _read_on(self) -> None:
        """Let a client that still sends read its refusal, but not send for ever."""
        if self._bytes > MAX_REQUEST_BYTES:
            self.transport.abort()

    def _may_answer(self) -> bool:
        """Tell whether a refusal would be taken for the answer of the request that it refuses, and of no other."""
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or self._in_head:
            return cycle is None or cycle.response_complete
        return cycle.more_body and not cycle.response_started and not self.pipeline
