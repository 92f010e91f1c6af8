"""Litestar's events, which the API does not use."""

from types import TracebackType
from typing import Any, Self

from litestar.events import BaseEventEmitterBackend


class NoEvents(BaseEventEmitterBackend):
    """Emits nothing. The default keeps a task group open, which eagerly started tasks break."""

    async def __aenter__(self) -> Self:
        """Start nothing."""
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        """Stop nothing."""

    def emit(self, event_id: str, *args: Any, **kwargs: Any) -> None:
        """Drop the event."""
