"""One WebSocket on uvicorn, from its upgrade request to its end."""

import asyncio
from typing import cast

from uvicorn.server import ServerState
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response

from swaprail.domain.errors import EngineError, ErrorCode
from swaprail.runtime.client_address import plain_address
from swaprail.telemetry.logging import get_logger
from swaprail_notifier import metrics
from swaprail_notifier.admission import Seat
from swaprail_notifier.connections import CloseCode, Shared, count_closed
from swaprail_notifier.inbound import Inbound
from swaprail_notifier.outlet import Outlet, bound_kernel_buffer
from swaprail_notifier.problems import problem_response
from swaprail_notifier.subscriptions import Subscription
from swaprail_notifier.wire import Wire

log = get_logger(__name__)

HIGH_WATER = 16_384
LOW_WATER = 4_096
CLOSE_TIMEOUT_S = 2.0


class Socket(asyncio.Protocol):
    """A connection from its upgrade request to its end."""

    __slots__ = (
        "_alive",
        "_close_code",
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
        "_wire",
    )

    def __init__(self, shared: Shared, state: ServerState) -> None:
        self._shared = shared
        self._state = state
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport = cast("asyncio.Transport", None)
        self._wire: Wire = cast("Wire", None)
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
        self._wire = Wire(self._transport)
        self._out = self._shared.outlet(self._transport, self._close_slow, self._close_undone)
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
            count_closed(self._close_code)

    def data_received(self, data: bytes) -> None:
        """Take what the client sent."""
        if self._seat is not None and self._wire.is_connecting:
            # Nothing may follow the upgrade request before its answer.
            self._transport.abort()
            return
        self._alive = True
        for event in self._wire.receive(data):
            if isinstance(event, Request):
                self._begin_handshake(event)
            elif not self._close_code:
                self._take_frame(cast("Frame", event))
        if self._wire.broken_code is not None:
            self._note_closed(self._wire.broken_code)
        self._wire.flush()

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

    @property
    def key_id(self) -> str:
        """The API key it was opened with; empty without one, and until that is known."""
        return self._seat.key if self._seat is not None else ""

    def ping(self) -> None:
        """Ask for a sign of life."""
        if not self._close_code:
            self._alive = False
            self._wire.ping()

    def check_alive(self) -> None:
        """Close unless there was a sign of life since the ping."""
        if not self._alive:
            self.close(CloseCode.INTERNAL, "no answer to a ping")

    def close(self, code: int, reason: str) -> None:
        """Close with a code, or refuse if the handshake is not yet answered; cut after a while."""
        if self._close_code:
            return
        if self._wire.is_connecting:
            if self._task is not None:
                self._task.cancel()
            self._refuse(EngineError(ErrorCode.UNAVAILABLE, reason))
            return
        self._note_closed(code)
        self._wire.close(code, reason)

    # The handshake.

    def _begin_handshake(self, request: Request) -> None:
        peer = plain_address(self._transport.get_extra_info("peername"))
        try:
            self._seat = self._shared.handshake.seat(peer, request.headers)
            response = self._wire.accept(request)
        except EngineError as error:
            self._refuse(error)
            return
        if response.status_code != 101:
            self._refuse(self._wire.refusal(), response)
            return
        task = self._loop.create_task(self._shake_hands(request, response), name="websocket handshake")
        if not task.done():
            self._task = task

    async def _shake_hands(self, request: Request, response: Response) -> None:
        assert self._seat is not None
        try:
            self._subscription = await self._shared.handshake.decide(request, self._seat)
        except EngineError as error:
            self._refuse(error)
        else:
            self._open(response)
            await self._begin(self._subscription)
        finally:
            self._task = None

    def _open(self, response: Response) -> None:
        self._wire.answer(response)
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
        self._wire.answer(problem_response(error, given))

    # Frames of the client.

    def _take_frame(self, frame: Frame) -> None:
        if frame.opcode is Opcode.CLOSE:
            self._note_closed(self._wire.received_code or CloseCode.LOST)
        elif self._inbound.floods():
            self.close(CloseCode.POLICY, "more than 10 messages a second")
        elif frame.opcode is Opcode.BINARY:
            self.close(CloseCode.UNSUPPORTED, "binary messages are not understood")
        elif self._inbound.is_garbled(frame):
            self.close(CloseCode.GARBLED, "a text message is UTF-8")

    # Ending.

    def _close_slow(self) -> None:
        self.close(CloseCode.SLOW, "too slow; connect again after the last step seen")

    def _close_undone(self) -> None:
        self.close(CloseCode.RESTART, "the database lost steps that were told; connect again")

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
