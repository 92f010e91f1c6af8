"""Make, list and revoke the API keys of an account."""

from datetime import datetime

import msgspec

from swaprail.auth import NO_LIMITS, Limits, Principal, generate_key, is_key_id
from swaprail.clock import database_now
from swaprail.domain.errors import EngineError, ErrorCode
from swaprail_api.deadline import Deadline
from swaprail_api.schemas.keys import CreatedKey, KeyView
from swaprail_api.schemas.requests import NewApiKey
from swaprail_api.schemas.times import read_time
from swaprail_api.store.keys import KeyTable


class ManageKeys:
    """Manages keys."""

    def __init__(self, keys: KeyTable, deadline: Deadline) -> None:
        self._keys = keys
        self._deadline = deadline

    async def create(self, wanted: NewApiKey, principal: Principal) -> CreatedKey:
        """Return a new key of the caller's account, its secret included; EngineError if it would have more scopes."""
        if not wanted.name.isprintable():
            raise EngineError(ErrorCode.VALIDATION_FAILED, "a name has visible characters only", field="name")
        scopes = set(map(str, wanted.scopes))
        for scope in sorted(scopes):
            principal.require(scope)
        expires_at = None if wanted.expires_at is None else read_time(wanted.expires_at, "expiresAt")
        if expires_at is not None and expires_at <= database_now():
            raise EngineError(ErrorCode.EXPIRY_IN_PAST, "expiresAt is not in the future", field="expiresAt")
        # Whoever is limited cannot make a key that is not.
        return await self.store(principal.account, wanted.name, scopes, expires_at, principal.limits)

    async def store(
        self, account: str, name: str, scopes: set[str], expires_at: datetime | None, limits: Limits = NO_LIMITS
    ) -> CreatedKey:
        """Store a new key and return it, its secret included."""
        key = generate_key()
        insert = self._keys.insert(
            key, account=account, name=name, scopes=sorted(scopes), expires_at=expires_at, limits=limits
        )
        view = await self._deadline.wait(insert)
        return CreatedKey(**msgspec.structs.asdict(view), key=key.text)

    async def limit(self, key_id: str, account: str, limits: Limits) -> None:
        """Give a key limits of its own, ten seconds from now at the latest; EngineError not_found if there is none."""
        if not is_key_id(key_id) or not await self._deadline.wait(self._keys.limit(key_id, account, limits)):
            raise EngineError(ErrorCode.NOT_FOUND, "the account has no such key")

    async def of_account(self, account: str) -> list[KeyView]:
        """Return the keys of an account."""
        return await self._deadline.wait(self._keys.of_account(account))

    async def revoke(self, key_id: str, account: str) -> None:
        """Make a key useless, at the latest ten seconds from now; EngineError not_found if there is none."""
        if not is_key_id(key_id) or not await self._deadline.wait(self._keys.revoke(key_id, account)):
            raise EngineError(ErrorCode.NOT_FOUND, "the account has no such key")
