"""From an Authorization header to the account that calls."""

import hmac
from enum import StrEnum

import msgspec

from swaprail.auth.keys import hash_secret, parse_key
from swaprail.auth.limits import NO_LIMITS, Limits
from swaprail.auth.stores import KeyStore
from swaprail.clock import database_now
from swaprail.domain.errors import EngineError, ErrorCode

_NO_KEY = b"\0" * 32


class Scope(StrEnum):
    """What a key may do."""

    READ = "orders:read"
    WRITE = "orders:write"
    KEYS = "keys:manage"


ALL_SCOPES = frozenset(str(scope) for scope in Scope)


class Principal(msgspec.Struct, frozen=True):
    """Who calls. key_id is empty when no key was required."""

    account: str
    key_id: str
    scopes: frozenset[str]
    limits: Limits = NO_LIMITS

    def require(self, scope: str) -> None:
        """Raise EngineError forbidden unless the key has the scope."""
        if scope not in self.scopes:
            raise EngineError(ErrorCode.FORBIDDEN, f"the key lacks the scope {scope}")


LOCAL = Principal("local", "", ALL_SCOPES)


async def verify(header: str | None, store: KeyStore) -> Principal:
    """Return who sent `Authorization: Bearer <key>`; EngineError unauthenticated for every other header.

    Unknown, wrong, expired and revoked keys are told alike.
    """
    scheme, _, text = (header or "").strip().partition(" ")
    parsed = parse_key(text.strip()) if scheme.lower() == "bearer" else None
    if parsed is None:
        raise EngineError(ErrorCode.UNAUTHENTICATED, "no API key was sent")
    key_id, secret = parsed
    key = await store.find(key_id)
    same = hmac.compare_digest(key.secret_sha256 if key else _NO_KEY, hash_secret(secret))
    if key is None or not same or not key.is_usable(database_now()):
        raise EngineError(ErrorCode.UNAUTHENTICATED, "the API key is not valid")
    return Principal(key.account, key.id, key.scopes, key.limits)


async def check_key(principal: Principal, store: KeyStore) -> Principal:
    """Return the caller with the limits of its key; EngineError unauthenticated if that is revoked or expired by now."""
    if not principal.key_id:
        return principal
    key = await store.find(principal.key_id)
    if key is None or not key.is_usable(database_now()):
        raise EngineError(ErrorCode.UNAUTHENTICATED, "the API key behind the ticket is not valid")
    return msgspec.structs.replace(principal, limits=key.limits)


async def authenticate(header: str | None, store: KeyStore, *, required: bool) -> Principal:
    """Return who calls: LOCAL if no key is required and none was sent, else as `verify`."""
    if not required and not header:
        return LOCAL
    return await verify(header, store)
