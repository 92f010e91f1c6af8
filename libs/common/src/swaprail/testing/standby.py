"""A synchronous standby that is away: PostgreSQL is told of one, and none is there."""

import asyncio
import contextlib

import asyncpg

from swaprail.testing.conditions import until

_COMMIT = "select pg_logical_emit_message(true, 'probe', '')"
_WAITS = "select wait_event = 'SyncRep' from pg_stat_activity where application_name = 'probe'"


class StandbyAway:
    """Makes every commit of a server wait, until it is told that there is no standby after all."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._probing: asyncio.Task[None] | None = None

    async def leave(self) -> None:
        """Return when commits wait for a standby that is not there."""
        await self._set("alter system set synchronous_standby_names = '*'")
        # The server's sessions see the setting before its commits do.
        self._probing = asyncio.create_task(self._probe())
        connection = await asyncpg.connect(self._dsn)
        await until(lambda: connection.fetchval(_WAITS), within_s=5, what="commits wait")
        await connection.close()

    async def forget(self) -> None:
        """Let the commits that wait be done, and no other wait."""
        await self._set("alter system reset synchronous_standby_names")
        if self._probing is not None:
            self._probing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._probing

    async def _probe(self) -> None:
        settings = {"application_name": "probe", "synchronous_commit": "on"}
        connection = await asyncpg.connect(self._dsn, server_settings=settings)
        try:
            while True:
                await connection.execute(_COMMIT)
        finally:
            connection.terminate()

    async def _set(self, sql: str) -> None:
        connection = await asyncpg.connect(self._dsn, server_settings={"synchronous_commit": "local"})
        await connection.execute(sql)
        await connection.execute("select pg_reload_conf()")
        await connection.close()
