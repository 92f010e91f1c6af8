"""Whether the address of PostgreSQL is one of a pooler that hands out transactions."""

import asyncio

import asyncpg

TRIES = 5


async def hands_out_transactions(dsn: str, *, timeout_s: float) -> bool:
    """Tell whether two connections that are open at once have one session of the server between them.

    A pooler gives its clients numbers of its own, not those of the server's processes; whoever gets the very process is
    not behind one. What goes on there besides may hide it for a while, so it is looked for several times.
    """
    async with asyncio.timeout(timeout_s):
        first = await asyncpg.connect(dsn, statement_cache_size=0)
        try:
            if await _process(first) == first.get_server_pid():
                return False
            return any([await _shares(dsn, first) for _ in range(TRIES)])
        finally:
            first.terminate()


async def _shares(dsn: str, first: asyncpg.Connection) -> bool:
    """Tell whether another connection gets what the first one had, or the first one something else each time."""
    had = await _process(first)
    second = await asyncpg.connect(dsn, statement_cache_size=0)
    try:
        return had in (await _process(second), await _process(second)) or had != await _process(first)
    finally:
        second.terminate()


async def _process(connection: asyncpg.Connection) -> int:
    async with connection.transaction():
        pid: int = await connection.fetchval("select pg_backend_pid()")
    return pid
