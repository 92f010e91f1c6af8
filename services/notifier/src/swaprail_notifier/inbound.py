"""What clients may send: little, and seldom."""

import codecs
import time

from websockets.frames import Frame, Opcode

MAX_INBOUND_BYTES = 4096
MAX_INBOUND_PER_S = 10
_utf8 = codecs.getincrementaldecoder("utf-8")


class Inbound:
    """Counts the messages of one client in the current second, and tells text from what is none."""

    __slots__ = ("_count", "_decoder", "_since")

    def __init__(self) -> None:
        self._decoder: codecs.IncrementalDecoder | None = None
        self._count = 0
        self._since = 0.0

    def floods(self) -> bool:
        """Count a message; tell whether it is one too many."""
        now = time.monotonic()
        if now - self._since >= 1:
            self._since, self._count = now, 0
        self._count += 1
        return self._count > MAX_INBOUND_PER_S

    def is_garbled(self, frame: Frame) -> bool:
        """Tell whether a frame makes its text message no UTF-8 (RFC 6455, 8.1); a character may span two frames."""
        if frame.opcode is Opcode.TEXT:
            self._decoder = _utf8()
        elif frame.opcode is not Opcode.CONT:
            return False
        try:
            if self._decoder is not None:
                self._decoder.decode(frame.data, frame.fin)
        except UnicodeDecodeError:
            return True
        return False
