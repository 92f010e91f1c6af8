"""The wire of one WebSocket: websockets' Sans-I/O protocol over a transport, for all but the frames of steps."""

import asyncio
import logging
from collections.abc import Sequence

from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import Event, State
from websockets.server import ServerProtocol

from swaprail.domain.errors import EngineError, ErrorCode
from swaprail_notifier.inbound import MAX_INBOUND_BYTES

PING = Frame(Opcode.PING, b"").serialize(mask=False)

# One line for each connection tells nobody anything.
_log = logging.getLogger("swaprail_notifier.wire")
_log.setLevel(logging.ERROR)


class Wire:
    """Reads what the client sends, and writes answers, pings and close frames."""

    __slots__ = ("_conn", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._conn = ServerProtocol(max_size=MAX_INBOUND_BYTES, logger=_log)
        self._transport = transport

    @property
    def is_connecting(self) -> bool:
        """Tell whether the upgrade request is not yet answered."""
        return self._conn.state is State.CONNECTING

    @property
    def received_code(self) -> int | None:
        """The code of the client's close frame."""
        return self._conn.close_rcvd.code if self._conn.close_rcvd else None

    @property
    def broken_code(self) -> int | None:
        """The code with which the connection ends after bytes that are no frame."""
        sent = self._conn.close_sent
        return sent.code if sent is not None and self._conn.parser_exc is not None else None

    def receive(self, data: bytes) -> Sequence[Event]:
        """Return the requests and frames that are complete now."""
        self._conn.receive_data(data)
        return self._conn.events_received()

    def accept(self, request: Request) -> Response:
        """Return the answer to an upgrade request: 101, or what is wrong with it."""
        return self._conn.accept(request)

    def refusal(self) -> EngineError:
        """Return what is wrong with the upgrade request."""
        return EngineError(ErrorCode.VALIDATION_FAILED, str(self._conn.handshake_exc))

    def answer(self, response: Response) -> None:
        """Answer the upgrade request, once."""
        if self.is_connecting and not self._conn.eof_sent:
            self._conn.send_response(response)
        self.flush()

    def close(self, code: int, reason: str) -> None:
        """Send a close frame, unless one was sent."""
        if self._conn.state is State.OPEN:
            self._conn.send_close(code, reason)
        self.flush()

    def ping(self) -> None:
        """Ask for a pong."""
        self._transport.write(PING)

    def flush(self) -> None:
        """Write what the protocol has to say."""
        for data in self._conn.data_to_send():
            if data:
                self._transport.write(data)
            elif self.broken_code is not None and self._transport.can_write_eof():
                # The rest of a bad frame may still be on its way: closed with it unread, the connection would be reset,
                # and the close frame lost. The client has a while to end it; what comes is thrown away.
                self._transport.write_eof()
            else:
                self._transport.close()
