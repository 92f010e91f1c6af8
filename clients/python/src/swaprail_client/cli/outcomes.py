"""Exit codes."""

from collections.abc import Callable
from enum import IntEnum

from swaprail_client.errors import SwaprailError


class Exit(IntEnum):
    """What a script can tell from the exit code."""

    OK = 0  # done; when watching: CONFIRMED
    REFUSED = 1  # the engine said no; when watching: FAILED
    WITHDRAWN = 2  # when watching: CANCELLED or EXPIRED
    UNKNOWN = 3  # no answer, or one that leaves the outcome open
    USAGE = 64
    INTERRUPTED = 130


OUTCOMES = {
    "CONFIRMED": Exit.OK,
    "FAILED": Exit.REFUSED,
    "CANCELLED": Exit.WITHDRAWN,
    "EXPIRED": Exit.WITHDRAWN,
}


class UsageError(Exception):
    """The command line cannot be right; the text says why."""


def checked[**P, T](make: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what is made of what was given, or raise UsageError where that is refused."""
    try:
        return make(*args, **kwargs)
    except ValueError as error:
        raise UsageError(str(error)) from None


def exit_of(error: SwaprailError) -> Exit:
    """Return REFUSED where the engine decided, and UNKNOWN where the call may have worked or may work later."""
    decided = error.status is not None and error.status < 500 and not error.retryable
    return Exit.REFUSED if decided else Exit.UNKNOWN
