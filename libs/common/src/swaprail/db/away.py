"""Which errors of PostgreSQL pass, so that waiting helps, and which say that this server is not (any more) the right one."""

import asyncpg

from swaprail.domain.errors import EngineError, ErrorCode

# Whatever asyncpg raises when a connection cannot be opened or a statement not be run: the first three without an answer
# of the server. InternalClientError: a connection that was cut while asyncpg was not looking.
FAILURES = (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.InternalClientError, asyncpg.PostgresError)

# SQLSTATEs (PostgreSQL, appendix A). By their class, for the list of states grows with every release: the connection,
# this try's rollback, resources, locks and states of objects, an operator.
_PASSING_CLASSES = frozenset({"08", "40", "53", "55", "57"})
_PASSING = frozenset(
    {
        "25P03",  # idle in a transaction for too long
        "25P04",  # a transaction for too long
        "58030",  # the disk
        # A login or a database that is not there yet, or whose password is being changed.
        "28000",
        "28P01",
        "3D000",
    }
)
# A server that was demoted, or a pooler that has forgotten our statements: another connection may do better.
_MISPLACED = frozenset({"25006", "26000", "42P05"})
_WRITES_REFUSED = frozenset({"53100", "58030"})


def is_passing(error: BaseException) -> bool:
    """Tell whether the same statement may succeed later, with nothing wrong about it."""
    if not isinstance(error, asyncpg.PostgresError):
        # asyncpg's own reading of the address, which is the same the next time.
        return isinstance(error, FAILURES) and not isinstance(error, asyncpg.ClientConfigurationError)
    state = error.sqlstate or ""
    return state[:2] in _PASSING_CLASSES or state in _PASSING or state in _MISPLACED


def is_unmigrated(error: BaseException) -> bool:
    """Tell whether a table or a column is not there that this version's schema has."""
    return isinstance(error, asyncpg.UndefinedTableError | asyncpg.UndefinedColumnError)


def is_misplaced(error: BaseException) -> bool:
    """Tell whether the server that said so should be left."""
    return isinstance(error, asyncpg.PostgresError) and error.sqlstate in _MISPLACED


def takes_no_writes(error: BaseException) -> bool:
    """Tell whether the server that said so answers reads alone, its disk being full or broken, and still calls itself writable."""
    return isinstance(error, asyncpg.PostgresError) and error.sqlstate in _WRITES_REFUSED


def is_unsent(error: BaseException) -> bool:
    """Tell whether the server cannot have run the statement: it had ended the session, which was idle for too long."""
    if isinstance(error, asyncpg.InternalClientError):
        # Before anything is sent: what was read last was the server's farewell.
        return str(error).startswith("cannot switch to state")
    farewell = error.__cause__ if isinstance(error, asyncpg.ConnectionDoesNotExistError) else error
    return isinstance(farewell, asyncpg.IdleSessionTimeoutError)


def unmigrated() -> EngineError:
    """Return what a client is told until somebody has run swaprail-migrate."""
    return EngineError(ErrorCode.UNAVAILABLE, "the database is not at this version's schema: run swaprail-migrate")


def unavailable(error: BaseException) -> EngineError:
    """Return what a client is told; the operator is told why by the log."""
    return EngineError(ErrorCode.UNAVAILABLE, f"the database is away ({type(error).__name__})")
