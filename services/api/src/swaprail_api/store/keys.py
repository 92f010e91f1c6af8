"""API keys: made, listed, revoked, and when they were last used."""

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import datetime

from swaprail.auth import ApiKey, KeyStore, Limits, NewKey
from swaprail.auth.limits import read_limits, write_limits
from swaprail.db.connect import Database
from swaprail.db.statements import named
from swaprail.domain.errors import EngineError
from swaprail.telemetry.metrics import OPERATIONAL_ERRORS
from swaprail.telemetry.survival import survive
from swaprail_api.deadline import Deadline
from swaprail_api.schemas.keys import KeyView
from swaprail_api.store.rows import Row

MAX_LISTED = 1000
_INSERT = named(
    "key_insert",
    """
insert into api_keys (id, account, name, secret_sha256, scopes, expires_at, limits) values ($1, $2, $3, $4, $5, $6, $7)
returning id, account, name, scopes, created_at, expires_at, last_used_at, revoked_at, limits
""",
)
_LIST = named(
    "key_list",
    """
select id, account, name, scopes, created_at, expires_at, last_used_at, revoked_at, limits
from api_keys where account = $1 order by created_at, id limit $2
""",
)
_REVOKE = named(
    "key_revoke",
    """
update api_keys set revoked_at = coalesce(revoked_at, now()) where id = $1 and account = $2 returning id
""",
)
_LIMIT = named(
    "key_limit",
    """
update api_keys set limits = $3 where id = $1 and account = $2 returning id
""",
)
_TOUCH = named(
    "key_touch",
    """
update api_keys k set last_used_at = greatest(k.last_used_at, to_timestamp(v.at))
from unnest($1::text[], $2::float8[]) as v(id, at) where k.id = v.id
""",
)


class KeyTable:
    """The table api_keys, as its owners manage it."""

    def __init__(self, database: Database, reads: Database | None = None) -> None:
        """Write by one pool, and list by another one if it is given."""
        self._database = database
        self._reads = reads or database

    async def insert(
        self,
        key: NewKey,
        *,
        account: str,
        name: str,
        scopes: Sequence[str],
        expires_at: datetime | None,
        limits: Limits,
    ) -> KeyView:
        """Store a key; its secret is not among what is stored."""
        row = await self._database.fetchrow(
            _INSERT, key.id, account, name, key.secret_sha256, sorted(scopes), expires_at, write_limits(limits)
        )
        return _view(row)

    async def of_account(self, account: str) -> list[KeyView]:
        """Return the keys of an account, oldest first, revoked ones included."""
        return [_view(row) for row in await self._reads.fetch(_LIST, account, MAX_LISTED)]

    async def revoke(self, key_id: str, account: str) -> bool:
        """Make a key useless; False if the account has no such key."""
        return await self._database.fetchval(_REVOKE, key_id, account) is not None

    async def limit(self, key_id: str, account: str, limits: Limits) -> bool:
        """Give a key limits in place of those it has; False if the account has no such key."""
        return await self._database.fetchval(_LIMIT, key_id, account, write_limits(limits)) is not None

    async def touch(self, used: dict[str, float]) -> None:
        """Note when keys were used, in seconds since 1970."""
        await self._database.fetch(_TOUCH, list(used), list(used.values()))


class PromptKeyStore:
    """Looks keys up in the time that a request has for the database."""

    def __init__(self, store: KeyStore, deadline: Deadline) -> None:
        self._store = store
        self._deadline = deadline

    async def find(self, key_id: str) -> ApiKey | None:
        """Return the key, or None; EngineError unavailable when the store does not answer in time."""
        return await self._deadline.wait(self._store.find(key_id))


class KeyUsage:
    """Remembers which keys were used and writes it down now and then, all in one statement."""

    def __init__(self, keys: KeyTable, *, every_s: float = 10.0) -> None:
        self._keys = keys
        self._every_s = every_s
        self._used: dict[str, float] = {}
        self._task: asyncio.Task[None] | None = None

    def note(self, key_id: str, at: float) -> None:
        """Remember a use."""
        self._used[key_id] = at

    def start(self) -> None:
        """Begin to write down."""
        self._task = asyncio.create_task(self._run(), name="key usage")

    async def stop(self) -> None:
        """Write down what is left."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self.flush()

    async def flush(self) -> None:
        """Write down the uses noted so far; if the database is away, later."""
        used, self._used = self._used, {}
        if not used:
            return
        try:
            await self._keys.touch(used)
        except EngineError as error:
            OPERATIONAL_ERRORS.labels(error.code).inc()
            self._used = used | self._used

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            await survive("last use of keys", self.flush())


def _view(row: Row) -> KeyView:
    return KeyView(**{**row, "limits": read_limits(row["limits"])})
