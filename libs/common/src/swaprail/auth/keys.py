"""API keys: swr_<id>_<secret>. Only the SHA-256 of the secret is stored."""

import hashlib
import re
import secrets
from datetime import datetime

import msgspec

from swaprail.auth.limits import NO_LIMITS, Limits

PREFIX = "swr"
_KEY = re.compile(r"swr_([0-9a-f]{16})_([A-Za-z0-9_-]{43})", re.ASCII)
_ID = re.compile(r"[0-9a-f]{16}", re.ASCII)


class ApiKey(msgspec.Struct, frozen=True):
    """A stored key. It holds no secret."""

    id: str
    account: str
    secret_sha256: bytes
    scopes: frozenset[str]
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    limits: Limits = NO_LIMITS

    def is_usable(self, now: datetime) -> bool:
        """Tell whether the key is neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class NewKey(msgspec.Struct, frozen=True):
    """A key just made: text is shown once to its owner, id and secret_sha256 are stored."""

    id: str
    text: str
    secret_sha256: bytes


def hash_secret(secret: str) -> bytes:
    """Return what is stored of a secret. It has 256 random bits, so a slow hash would add nothing."""
    return hashlib.sha256(secret.encode("ascii")).digest()


def generate_key() -> NewKey:
    """Make a key of 256 random bits."""
    key_id, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
    return NewKey(key_id, f"{PREFIX}_{key_id}_{secret}", hash_secret(secret))


def parse_key(text: str) -> tuple[str, str] | None:
    """Return id and secret of a key, or None if the text is no key."""
    match = _KEY.fullmatch(text)
    return (match[1], match[2]) if match else None


def is_key_id(text: str) -> bool:
    """Tell whether a text may be the id of a key. No other text needs to reach the database."""
    return _ID.fullmatch(text) is not None
