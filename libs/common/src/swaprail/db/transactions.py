"""Statements behind a pooler: what belongs together must be one transaction, for it alone stays with one server session."""

from collections.abc import Mapping, Sequence

import asyncpg

from swaprail.db.away import FAILURES

type Rows = Sequence[asyncpg.Record]

# Of sessions alone: a transaction is neither idle for long nor is its statement planned more than once.
_OF_SESSIONS = ("idle_session_timeout", "plan_cache_mode", "default_transaction_isolation")


class Transactions:
    """Runs each statement in a transaction that brings its settings along, and names no statement.

    A pooler of transactions gives each of them whatever session of the server is free: what was set or prepared in one is
    not there in the next, or is somebody else's.
    """

    def __init__(self, settings: Mapping[str, str]) -> None:
        chosen = {name: value for name, value in settings.items() if name not in _OF_SESSIONS}
        self._begin = "".join(f"; set local {name} = '{value}'" for name, value in chosen.items())

    async def ask(self, session: asyncpg.Connection, first: str, sql: str, args: tuple[object, ...]) -> Rows:
        """Run a statement and return its rows once they are committed; after `first`, in a transaction that only reads."""
        reads = " read only" if first else ""
        try:
            await session.execute(f"begin isolation level read committed{reads}{self._begin}")
            if first:
                await session.execute(first)
            rows: Rows = await session.fetch(sql, *args)
        except Exception:
            await _roll_back(session)
            raise
        # A statement's time is over before its commit begins: it never ends the wait for a standby.
        await session.execute("commit")
        return rows


async def _roll_back(session: asyncpg.Connection) -> None:
    """Leave no transaction open; a session that cannot even end it is of no more use."""
    try:
        await session.execute("rollback")
    except FAILURES:
        session.terminate()
