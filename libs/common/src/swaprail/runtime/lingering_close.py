"""The end of a connection whose client still sends: it is read on for a while, so that the answer is not lost."""

import asyncio

LINGER_S = 5.0


class LingeringClose:
    """The transport of one request and its answer; to be closed when the request has been read to its end.

    A socket closed while bytes of its client wait unread is reset, and a reset takes the answer away from whoever has not
    read it: a proxy that sends a refused body then says 502 in its own words.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._request_read = False
        self._timer: asyncio.TimerHandle | None = None
        self.write = transport.write

    def is_closing(self) -> bool:
        """Tell whether nothing more can be written."""
        return self._timer is not None or self._transport.is_closing()

    def request_read(self) -> None:
        """Say that the client has sent all of its request."""
        self._request_read = True
        if self._timer is not None:
            self._timer.cancel()
            self._transport.close()

    def close(self) -> None:
        """Close now if the request has been read; otherwise when it has been, at the latest in LINGER_S."""
        if self._request_read or self._transport.is_closing():
            self._transport.close()
        elif self._timer is None:
            # The client is told at once that nothing follows: it may wait for that.
            if self._transport.can_write_eof():
                self._transport.write_eof()
            self._timer = asyncio.get_running_loop().call_later(LINGER_S, self._transport.close)
