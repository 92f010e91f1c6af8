"""API keys and tickets as clients see them."""

import msgspec

from swaprail.auth import Limits
from swaprail_api.schemas.times import Time


class KeyView(msgspec.Struct, frozen=True, rename="camel"):
    """An API key without its secret. limits: those it has in place of the engine's own."""

    id: str
    account: str
    name: str
    scopes: list[str]
    created_at: Time
    expires_at: Time | None
    last_used_at: Time | None
    revoked_at: Time | None
    limits: Limits


class CreatedKey(KeyView, frozen=True, rename="camel"):
    """A key just made. key is the whole key: it is shown this once."""

    key: str


class KeyList(msgspec.Struct, frozen=True):
    """The keys of an account."""

    keys: list[KeyView]


class TicketView(msgspec.Struct, frozen=True, rename="camel"):
    """A ticket that opens one WebSocket within the seconds given."""

    ticket: str
    expires_in_s: int
