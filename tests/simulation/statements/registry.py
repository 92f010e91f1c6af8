"""Where statements are registered under their names."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from tests.simulation.tables import Row

type Statement = Callable[..., list[Row]]

STATEMENTS: dict[str, Statement] = {}


def statement(name: str) -> Callable[[Statement], Statement]:
    """Register what runs in place of the SQL of that name."""

    def register(run: Statement) -> Statement:
        STATEMENTS[name] = run
        return run

    return register


def seconds(value: float) -> timedelta:
    """Return so many seconds."""
    return timedelta(seconds=value)


def columns_of(names: str, *columns: Sequence[Any]) -> list[Row]:
    """Return rows of the columns that a statement is given."""
    keys = names.split()
    return [dict(zip(keys, values, strict=True)) for values in zip(*columns, strict=True)]
