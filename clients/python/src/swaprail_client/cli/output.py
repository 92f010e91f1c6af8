"""What is printed: text for people, JSON for programs."""

import sys
from typing import NoReturn

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from swaprail_client.errors import SwaprailError

WIDE = 400  # columns when nobody looks: no line is wrapped or cut
COLOURS = {"CONFIRMED": "green", "FAILED": "red", "CANCELLED": "yellow", "EXPIRED": "yellow"}


class _Pipe(Console):
    def on_broken_pipe(self) -> NoReturn:
        raise BrokenPipeError


def console_on(stream_name: str) -> Console:
    """Return a console; colours and control codes only where a person looks."""
    stream = getattr(sys, stream_name)
    watched = stream.isatty()
    return _Pipe(
        file=stream, force_terminal=watched, width=None if watched else WIDE, highlight=False, markup=False, emoji=False
    )


def safe(value: object) -> str:
    """Return text of the engine's without characters that could steer a terminal."""
    text = "–" if value is None else str(value)
    return "".join(character if character.isprintable() else "�" for character in text)


def coloured(status: str) -> Text:
    """Return a status in its colour."""
    return Text(safe(status), COLOURS.get(status, "cyan"))


class Output:
    """Standard output, in the form that was asked for."""

    def __init__(self, *, json: bool) -> None:
        self.json = json
        self.console = console_on("stdout")

    def document(self, value: object) -> None:
        """Print a value as one line of JSON, at once."""
        sys.stdout.write(msgspec.json.encode(value).decode() + "\n")
        sys.stdout.flush()

    def line(self, *parts: str | Text) -> None:
        """Print a line of text."""
        self.console.print(Text.assemble(*parts), soft_wrap=True)

    def table(self, headings: list[str], rows: list[list[str | Text]], indent: int = 0) -> None:
        """Print rows under headings."""
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        for number, heading in enumerate(headings):
            table.add_column(" " * (indent if number == 0 else 0) + heading, overflow="fold")
        for first, *rest in rows:
            table.add_row(Text.assemble(" " * indent, first), *rest)
        self.console.print(table)

    def problem(self, error: SwaprailError) -> None:
        """Print why a call did not succeed: one line on stderr, or a JSON document on stdout."""
        if self.json:
            self.document({"error": error.as_dict()})
        else:
            note(f"swaprail: {error}")


def note(text: str) -> None:
    """Print a line on stderr."""
    console_on("stderr").print(Text(safe(text)), soft_wrap=True)
