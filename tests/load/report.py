"""Tables for people, JSON lines for programs."""

import json
from collections.abc import Sequence
from typing import NamedTuple

from tests.load.figures import TARGETS, Figures, Target, medians
from tests.load.options import Layout


class Outcome(NamedTuple):
    """All runs of one kind in one layout."""

    kind: str
    layout: Layout
    runs: list[Figures]


def table(kind: str, outcomes: Sequence[Outcome]) -> str:
    """Return a table with a column for each layout, medians of its runs."""
    columns = {f"{o.layout}, {len(o.runs)} run{'s'[: len(o.runs) > 1]}": medians(o.runs) for o in outcomes}
    targets = TARGETS[kind]
    names = list(dict.fromkeys(name for figures in columns.values() for name in figures))
    head = f"{kind:<28}" + "".join(f"{title:>18}" for title in columns) + f"{'target':>12}"
    lines = [head, "-" * len(head)]
    for name in sorted(names, key=_rank):
        cells = "".join(f"{_cell(figures, name, targets):>18}" for figures in columns.values())
        lines.append(f"{name:<28}{cells}{targets.get(name, '')!s:>12}")
    return "\n".join(lines)


def json_lines(outcome: Outcome) -> str:
    """Return a line for each run."""
    return "\n".join(
        json.dumps({"kind": outcome.kind, "layout": outcome.layout, "run": number} | _rounded(figures))
        for number, figures in enumerate(outcome.runs, 1)
    )


def _cell(figures: Figures, name: str, targets: dict[str, Target]) -> str:
    if name not in figures:
        return "-"
    value = figures[name]
    missed = name in targets and not targets[name].holds(value)
    return ("! " if missed else "") + (f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.2f}")


def _rounded(figures: Figures) -> Figures:
    return {name: round(value, 3) for name, value in figures.items()}


def _rank(name: str) -> tuple[int, str]:
    """Orders, speed, times, counts, costs, memory."""
    groups = (
        "orders",
        "confirmed_per_s",
        "accepted_per_s",
        "overhead",
        "commit_to",
        "after",
        "post",
        "commits",
        "redis",
        "rollb",
        "wal",
        "cpu",
        "largest",
        "mb",
    )
    return next((at for at, group in enumerate(groups) if name.startswith(group)), len(groups)), name
