"""Cursors of lists: opaque, signed, and good only for the list they came from."""

import base64
import binascii
import hmac
from uuid import UUID

from swaprail.domain.errors import EngineError, ErrorCode
from swaprail.domain.lifecycle import Status

_MAC_BYTES = 16


class Cursors:
    """Makes and reads cursors."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def write(self, last: UUID, account: str, wallet: str, status: Status | None) -> str:
        """Return the cursor of the page after the order `last`."""
        signed = last.bytes + self._mac(last.bytes, account, wallet, status)
        return base64.urlsafe_b64encode(signed).rstrip(b"=").decode()

    def read(self, text: str, account: str, wallet: str, status: Status | None) -> UUID:
        """Return the order that a cursor names; EngineError cursor_invalid unless it is of this very list."""
        try:
            raw = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except (UnicodeEncodeError, binascii.Error):
            raw = b""
        last, mac = raw[:16], raw[16:]
        if len(last) != 16 or not hmac.compare_digest(mac, self._mac(last, account, wallet, status)):
            raise EngineError(ErrorCode.CURSOR_INVALID, "the cursor does not belong to this list", field="cursor")
        return UUID(bytes=last)

    def _mac(self, last: bytes, account: str, wallet: str, status: Status | None) -> bytes:
        listed = "\0".join(("orders", account, wallet, status or "")).encode()
        return hmac.digest(self._key, last + listed, "sha256")[:_MAC_BYTES]
