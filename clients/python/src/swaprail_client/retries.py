"""When a call is made again, and after how long."""

import random
import time

import httpx
import msgspec

from swaprail_client.errors import SwaprailError


class Backoff(msgspec.Struct, frozen=True):
    """Waits between tries, in seconds: they double from initial to longest, and each is spread at random."""

    initial: float = 0.1
    longest: float = 5.0
    jitter: float = 0.4

    def wait(self, failures: int) -> float:
        """Return how long to wait after so many failures in a row."""
        upper = min(self.longest, self.initial * 2 ** min(failures, 16) + self.jitter)
        return random.uniform(0.0, upper)  # noqa: S311


# The request was not sent: making the call again can repeat nothing.
UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


# So long may a proxy say 404 of an engine without a pod; then it is the URL that is wrong.
NOBODY_THERE_S = 10.0


class RetryRule:
    """Decides whether a failed try is followed by another. in_doubt: one of them may have taken effect."""

    def __init__(self, *, repeatable: bool, deadline: float, backoff: Backoff) -> None:
        self.last: Exception | None = None
        self.in_doubt = False
        self._repeatable = repeatable
        self._began = time.monotonic()
        self._deadline = deadline
        self._backoff = backoff

    def __call__(self, error: BaseException) -> bool | float:
        """Return False to give up, True to wait the usual time, or the seconds to wait."""
        self.in_doubt = self.in_doubt or not _changed_nothing(error)
        if not isinstance(error, Exception):
            return False  # cancelled while the request was out
        self.last = error
        if isinstance(error, httpx.TransportError):
            return self._may_repeat(error)
        if not isinstance(error, SwaprailError) or not error.retryable or not self._repeatable:
            return False
        if error.status == 404 and time.monotonic() - self._began > NOBODY_THERE_S:
            return False
        if error.retry_after is None:
            return True
        wait = error.retry_after + self._backoff.wait(0)
        return wait if time.monotonic() + wait < self._deadline else False

    def _may_repeat(self, error: httpx.TransportError) -> bool:
        if isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError):
            return False
        return self._repeatable or isinstance(error, UNSENT)


def _changed_nothing(error: BaseException) -> bool:
    if isinstance(error, SwaprailError):
        return error.status is not None and error.status < 500
    return isinstance(error, UNSENT)
