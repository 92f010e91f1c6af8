"""What an account may take of the engine, so that no account is everybody's."""

from typing import Annotated

import msgspec
from msgspec import Meta

type Limit = Annotated[int, Meta(ge=1, le=2**31 - 1)] | None


class Limits(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Limits that a key has in place of the settings'; None: the setting's."""

    open_orders: Limit = None
    waiting_orders: Limit = None
    requests: Limit = None
    concurrent_reads: Limit = None
    sockets: Limit = None


NO_LIMITS = Limits()

_decode = msgspec.json.Decoder(Limits).decode
_encode = msgspec.json.Encoder().encode


def read_limits(stored: str | None) -> Limits:
    """Return the limits of a row of api_keys."""
    return _decode(stored) if stored else NO_LIMITS


def write_limits(limits: Limits) -> str | None:
    """Return what a row of api_keys holds for the limits."""
    return None if limits == NO_LIMITS else _encode(limits).decode()
