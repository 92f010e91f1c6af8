"""Keys under which a call is made once, however often it is repeated."""

import re
from uuid import uuid4

IDEMPOTENCY_KEY = "Idempotency-Key"
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def usable_key(key: str) -> str:
    """Return the key; ValueError when the engine would not take it."""
    if not _KEY.fullmatch(key):
        message = "an idempotency key has 1 to 255 visible ASCII characters"
        raise ValueError(message)
    return key


def chosen_key(given: str | None) -> str:
    """Return the caller's key, or one made for the call."""
    return str(uuid4()) if given is None else usable_key(given)
