"""One WebSocket on uvicorn: inbound by websockets' Sans-I/O protocol, outbound frames straight to the transport."""

import asyncio
import logging
from typing import cast

from uvicorn.server import ServerState
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.server import ServerProtocol

from swaprail.domain.errors import EngineError, ErrorCode
from swaprail.telemetry.logging import get_logger
from swaprail.telemetry.registry import start_at_zero
from swaprail_notifier import metrics
from swaprail_notifier.admission import Seat
from swaprail_notifier.connections import CloseCode, Shared
from swaprail_notifier.inbound import MAX_INBOUND_BYTES, Inbound
from swaprail_notifier.outlet import Outlet, bound_kernel_buffer
from swaprail_notifier.problems import problem_response
from swaprail_notifier.subscriptions import Subscription

log = get_logger(__name__)

_CODES = {1000, 1001, *CloseCode}
start_at_zero(metrics.CLOSED, [*(str(int(code)) for code in _CODES), "other"])

HIGH_WATER = 16_384
LOW_WATER = 4_096
CLOSE_TIMEOUT_S = 2.0
PING = Frame(Opcode.PING, b"").serialize(mask=False)

# One line for each connection tells nobody anything.
_wire_log = logging.getLogger("swaprail_notifier.wire")
_wire_log.setLevel(logging.ERROR)


class Socket(asyncio.Protocol):
    """A connection from its upgrade request to its end."""

    __slots__ = (
        "_alive",
        "_close_code",
        "_conn",
        "_inbound",
        "_loop",
        "_out",
        "_seat",
        "_shared",
        "_slot",
        "_state",
        "_subscription",
        "_task",
        "_timer",
        "_transport",
    )

    def __init__(self, shared: Shared, state: ServerState) -> None:
        self._shared = shared
        self._state = state
        self._loop = asyncio.get_running_loop()
        self._conn = ServerProtocol(max_size=MAX_INBOUND_BYTES, logger=_wire_log)
        self._transport: asyncio.Transport = cast("asyncio.Transport", None)
        self._out: Outlet = cast("Outlet", None)
        self._seat: Seat | None = None
        self._subscription: Subscription | None = None
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._slot = -1
        self._alive = True
        self._inbound = Inbound()
        self._close_code = 0

    # What uvicorn and the event loop call.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take over the transport from uvicorn's HTTP protocol."""
        self._transport = cast("asyncio.Transport", transport)
        # uvicorn does so only after the request: too late for what is written in answer to it.
        self._transport.set_protocol(self)
        self._transport.set_write_buffer_limits(HIGH_WATER, LOW_WATER)
        bound_kernel_buffer(self._transport)
        self._out = self._shared.outlet(self._transport, self._close_slow)
        self._state.connections.add(self)  # type: ignore[arg-type]
        self._shared.sockets.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Forget everything about the connection."""
        self._state.connections.discard(self)
        self._shared.forget(self)
        self._close_code = self._close_code or CloseCode.LOST
        self._leave()
        if self._task is not None:
            self._task.cancel()
        if self._timer is not None:
            self._timer.cancel()
        if self._seat is not None:
            self._seat.leave()
        if self._slot >= 0:
            self._shared.heartbeat.remove(self, self._slot)
            metrics.CONNECTIONS.dec()
            metrics.CLOSED.labels(_code_label(self._close_code)).inc()

    def data_received(self, data: bytes) -> None:
        """Take what the client sent."""
        if self._seat is not None and self._conn.state is State.CONNECTING:
            # Nothing may follow the upgrade request before its answer.
            self._transport.abort()
            return
        self._alive = True
        self._conn.receive_data(data)
        for event in self._conn.events_received():
            if isinstance(event, Request):
                self._begin_handshake(event)
            elif not self._close_code:
                self._take_frame(cast("Frame", event))
        if self._conn.parser_exc is not None and self._conn.close_sent is not None:
            self._note_closed(self._conn.close_sent.code)
        self._flush()

    def pause_writing(self) -> None:
        """Let what follows be counted: the transport has enough for now."""
        self._out.pause()

    def resume_writing(self) -> None:
        """Let what follows through, and more of the history."""
        self._out.resume()
        if self._subscription is not None:
            self._subscription.resume()

    def shutdown(self) -> None:
        """Uvicorn stops: say so to the client."""
        self.close(CloseCode.RESTART, "the service restarts")

    # What the rest of the notifier calls.

    def ping(self) -> None:
        """Ask for a sign of life."""
        if not self._close_code:
            self._alive = False
            self._transport.write(PING)

    def check_alive(self) -> None:
        """Close unless there was a sign of life since the ping."""
        if not self._alive:
            self.close(CloseCode.INTERNAL, "no answer to a ping")

    def close(self, code: int, reason: str) -> None:
        """Close with a code, or refuse if the handshake is not yet answered; cut after a while."""
        if self._close_code:
            return
        if self._conn.state is State.CONNECTING:
            if self._task is not None:
                self._task.cancel()
            self._refuse(EngineError(ErrorCode.UNAVAILABLE, reason))
            return
        self._note_closed(code)
        if self._conn.state is State.OPEN:
            self._conn.send_close(code, reason)
        self._flush()

    # The handshake.

    def _begin_handshake(self, request: Request) -> None:
        try:
            self._seat = self._shared.handshake.seat(_peer(self._transport), request.headers)
            response = self._conn.accept(request)
        except EngineError as error:
            self._refuse(error)
            return
        if response.status_code != 101:
            self._refuse(EngineError(ErrorCode.VALIDATION_FAILED, str(self._conn.handshake_exc)), response)
            return
        task = self._loop.create_task(self._shake_hands(request, response), name="websocket handshake")
        if not task.done():
            self._task = task

    async def _shake_hands(self, request: Request, response: Response) -> None:
        assert self._seat is not None
        try:
            async with asyncio.timeout(self._shared.handshake_timeout_s):
                self._subscription = await self._shared.handshake.decide(request, self._seat)
        except EngineError as error:
            self._refuse(error)
        except TimeoutError:
            self._refuse(EngineError(ErrorCode.UNAVAILABLE, "the handshake took too long"))
        except Exception:
            log.exception("handshake failed")
            self._refuse(EngineError(ErrorCode.INTERNAL, "the handshake failed"))
        else:
            self._open(response)
            await self._begin(self._subscription)
        finally:
            self._task = None

    def _open(self, response: Response) -> None:
        self._conn.send_response(response)
        self._flush()
        self._slot = self._shared.heartbeat.add(self)
        metrics.CONNECTIONS.inc()
        self._out.open()

    async def _begin(self, subscription: Subscription) -> None:
        try:
            await subscription.begin(self._out)
        except EngineError as error:
            log.warning("history was not read", detail=error.detail)
            self.close(CloseCode.TRY_LATER, "the history cannot be read now")

    def _refuse(self, error: EngineError, given: Response | None = None) -> None:
        metrics.REFUSED.labels(error.code).inc()
        self._note_closed(CloseCode.LOST)
        if self._conn.state is State.CONNECTING and not self._conn.eof_sent:
            self._conn.send_response(problem_response(error, given))
        self._flush()

    # Frames of the client.

    def _take_frame(self, frame: Frame) -> None:
        if frame.opcode is Opcode.CLOSE:
            received = self._conn.close_rcvd
            self._note_closed(received.code if received else CloseCode.LOST)
        elif self._inbound.floods():
            self.close(CloseCode.POLICY, "more than 10 messages a second")
        elif frame.opcode is Opcode.BINARY:
            self.close(CloseCode.UNSUPPORTED, "binary messages are not understood")

    # Ending.

    def _close_slow(self) -> None:
        self.close(CloseCode.SLOW, "too slow; connect again after the last step seen")

    def _flush(self) -> None:
        for data in self._conn.data_to_send():
            if data:
                self._transport.write(data)
            elif self._conn.parser_exc is not None and self._close_code and self._transport.can_write_eof():
                # The rest of a bad frame may still be on its way: closed with it unread, the connection would be reset,
                # and the close frame lost. The client has CLOSE_TIMEOUT_S to end it; what comes is thrown away.
                self._transport.write_eof()
            else:
                self._transport.close()

    def _note_closed(self, code: int) -> None:
        if self._close_code:
            return
        self._close_code = code
        self._leave()
        self._timer = self._loop.call_later(CLOSE_TIMEOUT_S, self._transport.abort)

    def _leave(self) -> None:
        self._out.shut()
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            subscription.end()


def _peer(transport: asyncio.BaseTransport) -> str:
    peer = transport.get_extra_info("peername")
    return str(peer[0]) if isinstance(peer, tuple) else ""


def _code_label(code: int) -> str:
    """Return the code, or other: clients may close with whatever code they like."""
    return str(int(code)) if code in _CODES else "other"
