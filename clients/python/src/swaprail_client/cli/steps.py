"""Steps of an order as they are watched: one line each, with the time since the first and since the one before."""

import time
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from rich.live import Live
from rich.text import Text

from swaprail_client.cli.output import Output, coloured, safe
from swaprail_client.orders import StatusMessage


def describe(message: StatusMessage) -> str:
    """Return what happened in a step."""
    data = message.data
    match message.status:
        case "PENDING":
            return "accepted"
        case "ROUTING":
            return "asking the venues"
        case "BUILDING":
            return f"{data.get('venue')} gives {data.get('outputAmount')}"
        case "SUBMITTED":
            return f"attempt {data.get('attempt')} on {data.get('venue')}, {data.get('signature')}"
        case "CONFIRMED":
            unsure = " (by one node alone)" if data.get("amountConfirmed") is False else ""
            return f"received {data.get('outputAmount') or 'an unknown amount'}{unsure}, {data.get('signature')}"
        case _:
            return describe_failure(data.get("failure"))


def describe_failure(failure: Any) -> str:
    """Return a failure in one line, or nothing."""
    if not isinstance(failure, dict):
        return ""
    parts = [failure.get("detail") or failure.get("code"), f"Funds moved: {failure.get('fundsMoved')}"]
    parts += [failure.get("hint"), "A new order may succeed" if failure.get("retryable") else None]
    return " ".join(f"{part.rstrip('.')}." for part in parts if isinstance(part, str) and part)


class Clock:
    """Shows how long the current step takes."""

    def __init__(self) -> None:
        self.status = "connecting"
        self._since = time.monotonic()

    def restart(self, status: str) -> None:
        """Count from now, for another step."""
        self.status = status
        self._since = time.monotonic()

    def __rich__(self) -> Text:
        return Text(f"{'…':>11}   {time.monotonic() - self._since:8.1f} s  {self.status}", "dim")


class Steps:
    """Prints steps; on a terminal, the current one with a running clock."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._clock = Clock()
        self._first: datetime | None = None
        self._before: datetime | None = None
        live = output.console.is_terminal and not output.json
        self._live = Live(self._clock, console=output.console, transient=True, refresh_per_second=10) if live else None

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def show(self, message: StatusMessage) -> None:
        """Print a step."""
        if self._output.json:
            self._output.document(message)
            return
        self._clock.restart(safe(message.status))
        self._first = self._first or message.timestamp
        total = (message.timestamp - self._first).total_seconds()
        step = (message.timestamp - (self._before or message.timestamp)).total_seconds()
        self._before = message.timestamp
        status = coloured(message.status)
        status.pad_right(max(0, 11 - len(status)))
        self._output.line(f"{total:9.3f} s  +{step:8.3f} s  ", status, safe(describe(message)))
