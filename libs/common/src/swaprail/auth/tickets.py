"""One-time tickets: a browser cannot send a header with a WebSocket, so it asks the API for a ticket first."""

import base64
import binascii
import hashlib
import hmac
import secrets

import msgspec

from swaprail.auth.principals import Principal
from swaprail.clock import database_time

TICKET_SECONDS = 30


class TicketRefusedError(Exception):
    """The ticket is not ours, too old or already used."""


class _Ticket(msgspec.Struct, frozen=True, array_like=True):
    nonce: bytes
    until: int
    account: str
    key_id: str
    scopes: list[str]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Ticket).decode


def issue_ticket(principal: Principal, secret: bytes, *, now: float | None = None) -> str:
    """Return a ticket for the caller, good for 30 seconds and one connection."""
    until = int(now if now is not None else database_time()) + TICKET_SECONDS
    ticket = _Ticket(secrets.token_bytes(16), until, principal.account, principal.key_id, sorted(principal.scopes))
    body = _encode(ticket)
    return base64.urlsafe_b64encode(_mac(body, secret) + body).rstrip(b"=").decode("ascii")


def read_ticket(text: str, secret: bytes, *, now: float | None = None) -> Principal:
    """Return whose ticket it is; TicketRefusedError if it is forged or too old. Burn it before use."""
    try:
        raw = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise TicketRefusedError from error
    mac, body = raw[:32], raw[32:]
    if not hmac.compare_digest(mac, _mac(body, secret)):
        raise TicketRefusedError
    ticket = _decode(body)
    if ticket.until < (now if now is not None else database_time()):
        raise TicketRefusedError
    return Principal(ticket.account, ticket.key_id, frozenset(ticket.scopes))


def burn_name(text: str) -> str:
    """Return the name whose first setter may use the ticket; it need not outlive the ticket."""
    # Of the decoded bytes: the same ticket must not get a second name by other spellings of its last character.
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return f"ws.ticket:{hashlib.sha256(raw).hexdigest()}"


def _mac(body: bytes, secret: bytes) -> bytes:
    return hmac.digest(secret, b"swaprail websocket ticket\0" + body, "sha256")
