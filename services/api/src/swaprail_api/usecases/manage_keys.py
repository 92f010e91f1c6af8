"""Make, list and revoke the API keys of an account."""

from datetime import UTC, datetime

import msgspec

from swaprail.auth import ALL_SCOPES, Principal, generate_key
from swaprail.domain.errors import EngineError, ErrorCode
from swaprail_api.deadline import Deadline
from swaprail_api.schemas.keys import CreatedKey, KeyView
from swaprail_api.schemas.requests import NewApiKey
from swaprail_api.store.keys import KeyTable


class ManageKeys:
    """Manages keys."""

    def __init__(self, keys: KeyTable, deadline: Deadline) -> None:
        self._keys = keys
        self._deadline = deadline

    async def create(self, wanted: NewApiKey, principal: Principal) -> CreatedKey:
        """Return a new key of the caller's account, its secret included; EngineError if it would have more scopes."""
        scopes = set(wanted.scopes)
        if unknown := scopes - ALL_SCOPES:
            message = f"there is no scope {min(unknown)}"
            raise EngineError(ErrorCode.VALIDATION_FAILED, message, field="scopes")
        for scope in sorted(scopes):
            principal.require(scope)
        if wanted.expires_at is not None and wanted.expires_at <= datetime.now(UTC):
            raise EngineError(ErrorCode.EXPIRY_IN_PAST, "expiresAt is not in the future", field="expiresAt")
        return await self.store(principal.account, wanted.name, scopes, wanted.expires_at)

    async def store(self, account: str, name: str, scopes: set[str], expires_at: datetime | None) -> CreatedKey:
        """Store a new key and return it, its secret included."""
        key = generate_key()
        insert = self._keys.insert(key, account=account, name=name, scopes=sorted(scopes), expires_at=expires_at)
        view = await self._deadline.wait(insert)
        return CreatedKey(**msgspec.structs.asdict(view), key=key.text)

    async def of_account(self, account: str) -> list[KeyView]:
        """Return the keys of an account."""
        return await self._deadline.wait(self._keys.of_account(account))

    async def revoke(self, key_id: str, account: str) -> None:
        """Make a key useless, at the latest ten seconds from now; EngineError not_found if there is none."""
        if not await self._deadline.wait(self._keys.revoke(key_id, account)):
            raise EngineError(ErrorCode.NOT_FOUND, "the account has no such key")
