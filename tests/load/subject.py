"""What is measured: an engine with the HTTP and WebSocket API of Swaprail, ours or the peer."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol


class Questions(NamedTuple):
    """SQL: how many orders are open; of the ids $1, how many are CONFIRMED and when the last one, and each, ended."""

    open: str
    ended: str
    each_ended: str


class Subject(Protocol):
    """A running engine and its servers."""

    @property
    def url(self) -> str: ...
    @property
    def ws_url(self) -> str: ...
    @property
    def dsn(self) -> str: ...
    @property
    def redis_url(self) -> str: ...
    @property
    def pids(self) -> dict[str, int]: ...
    @property
    def questions(self) -> Questions: ...

    def log_tail(self) -> str:
        """Return the end of what its processes logged."""

    async def check(self, accepted: Sequence[str], subscribers: Sequence[Any]) -> None:
        """Raise AssertionError unless all that was accepted ended as promised."""
