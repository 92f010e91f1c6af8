"""Where keys are looked up."""

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from swaprail.auth.keys import ApiKey
from swaprail.auth.limits import read_limits
from swaprail.db.connect import Database
from swaprail.db.statements import named

_FIND = named(
    "key_find",
    """
select id, account, secret_sha256, scopes, expires_at, revoked_at, limits from api_keys where id = $1
""",
)


# By the database's clock, as whoever made the key read it.
_UNUSABLE = named(
    "keys_unusable",
    """
select t.id from unnest($1::text[]) as t(id) left join api_keys k on k.id = t.id
where k.id is null or k.revoked_at is not null or k.expires_at <= now()
""",
)


class KeyStore(Protocol):
    """Finds a key by its public id."""

    async def find(self, key_id: str) -> ApiKey | None:
        """Return the key, or None; EngineError unavailable while the store is away."""
        ...


class PgKeyStore:
    """The table api_keys."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, key_id: str) -> ApiKey | None:
        """Return the key, or None; EngineError unavailable while the database is away."""
        row = await self._database.fetchrow(_FIND, key_id)
        if row is None:
            return None
        return ApiKey(
            row["id"],
            row["account"],
            row["secret_sha256"],
            frozenset(row["scopes"]),
            row["expires_at"],
            row["revoked_at"],
            read_limits(row["limits"]),
        )

    async def unusable(self, key_ids: Sequence[str]) -> set[str]:
        """Return those of the keys that are revoked, expired or gone; EngineError unavailable."""
        return {row["id"] for row in await self._database.fetch(_UNUSABLE, list(key_ids))}


class CachedKeyStore:
    """Remembers found keys for a few seconds: so long may a revoked key still work."""

    def __init__(
        self,
        store: KeyStore,
        *,
        seconds: float = 10.0,
        max_keys: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._seconds = seconds
        self._max_keys = max_keys
        self._clock = clock
        self._found: dict[str, tuple[float, ApiKey]] = {}

    async def find(self, key_id: str) -> ApiKey | None:
        """Return the key from memory if it was found lately, else from the store."""
        asked_at = self._clock()
        until, key = self._found.get(key_id, (0.0, None))
        if key is not None and asked_at < until:
            return key
        key = await self._store.find(key_id)
        self._remember(key_id, key, asked_at + self._seconds)
        return key

    def _remember(self, key_id: str, key: ApiKey | None, until: float) -> None:
        self._found.pop(key_id, None)
        if key is None:
            return
        if len(self._found) >= self._max_keys:
            self._found.pop(next(iter(self._found)))
        self._found[key_id] = (until, key)
