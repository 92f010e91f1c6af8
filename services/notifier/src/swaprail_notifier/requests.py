"""What a handshake asks for: path and query, checked."""

import re
from datetime import datetime
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import UUID

import msgspec

from swaprail.domain.errors import EngineError, ErrorCode

MAX_WALLET = 64
_MAX_SEQ = 2**31 - 1
_MAX_MS = 253_402_300_799_000  # the year 9999
# A wallet may hold a slash, which proxies decode (nginx where proxy_pass has a path): it takes the rest of the path.
_PATH = re.compile(r"/ws/(?:orders/(?P<order>[^/]+)|wallets/(?P<wallet>.+?))/?")
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,15}", re.ASCII)


class OrderAsked(msgspec.Struct, frozen=True):
    """The steps of an order after a number."""

    order_id: UUID
    after: int


class WalletAsked(msgspec.Struct, frozen=True):
    """The orders of a wallet; after_ms is in milliseconds since 1970, None: nothing of closed orders."""

    wallet: str
    after_ms: int | None


class Asked(msgspec.Struct, frozen=True):
    """A handshake's target and its ticket, if any."""

    target: OrderAsked | WalletAsked
    ticket: str | None


def parse_request(raw: str) -> Asked:
    """Return what a request target (path and query) asks for; EngineError not_found or validation_failed."""
    try:
        url = urlsplit(raw)
        match = _PATH.fullmatch(url.path)
        query = parse_qs(url.query, keep_blank_values=True, errors="strict", max_num_fields=16)
        name = unquote(match["order"] or match["wallet"], errors="strict") if match else ""
    except ValueError as error:
        raise _invalid("path", "the path or query is not valid") from error
    if match is None:
        raise EngineError(ErrorCode.NOT_FOUND, "there are /ws/orders/{orderId} and /ws/wallets/{wallet}")
    after = _single(query, "after")
    target = _order(name, after) if match["order"] else _wallet(name, after)
    return Asked(target, _single(query, "ticket"))


def _order(name: str, after: str | None) -> OrderAsked:
    if not _UUID.fullmatch(name):
        raise _invalid("orderId", "the order id is not a UUID")
    if after is None:
        return OrderAsked(UUID(name), 0)
    if not _NUMBER.fullmatch(after) or int(after) > _MAX_SEQ:
        raise _invalid("after", "after is the number of the last step seen: 0 or more")
    return OrderAsked(UUID(name), int(after))


def _wallet(name: str, after: str | None) -> WalletAsked:
    if not 1 <= len(name) <= MAX_WALLET or not name.isprintable():
        raise _invalid("wallet", f"a wallet has 1 to {MAX_WALLET} printable characters")
    return WalletAsked(name, _time_ms(after) if after else None)


def _time_ms(text: str) -> int:
    if _NUMBER.fullmatch(text):
        at_ms = int(text)
    else:
        try:
            # A plus sign that was not escaped arrives as a space.
            at = datetime.fromisoformat(text.replace(" ", "+"))
        except ValueError as error:
            raise _bad_time() from error
        if at.tzinfo is None:
            raise _bad_time()
        at_ms = int(at.timestamp() * 1000)
    if not 0 <= at_ms <= _MAX_MS:
        raise _bad_time()
    return at_ms


def _single(query: dict[str, list[str]], name: str) -> str | None:
    values = query.get(name, [])
    if len(values) > 1:
        raise _invalid(name, f"{name} is given more than once")
    return values[0] if values else None


def _bad_time() -> EngineError:
    return _invalid("after", "after is the timestamp of the last message seen: ISO 8601 with offset, or milliseconds")


def _invalid(field: str, message: str) -> EngineError:
    return EngineError(ErrorCode.VALIDATION_FAILED, message, field=field)
