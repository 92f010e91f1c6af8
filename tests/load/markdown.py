"""Figures as Markdown tables."""

from collections.abc import Iterable, Sequence
from statistics import median

from tests.load.figures import Figures, Target, shown, targets_of
from tests.load.labels import LAYOUTS
from tests.load.options import PEERS
from tests.load.results import Columns


def rows_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table: the first column is text, the others are numbers."""
    rule = "|".join(["---", *["---:"] * (len(head) - 1)])
    lines = ["| " + " | ".join(cells) + " |" for cells in rows]
    return "\n".join(["| " + " | ".join(head) + " |", f"|{rule}|", *lines])


def columns_table(columns: Columns, labels: dict[str, str], part: str) -> str:
    """Return a row for each label: median (lowest-highest) of each layout's runs, the target, whether we meet it."""
    targets = targets_of(part)
    rows = []
    for name, label in labels.items():
        if any(name in run for runs in columns.values() for run in runs):
            cells = [_cell(runs, name) for runs in columns.values()]
            rows.append([label, *cells, *_judged(columns, name, targets.get(name))])
    return rows_table(["", *(LAYOUTS.get(layout, layout) for layout in columns), "target", ""], rows)


def lines_table(points: Sequence[Figures], labels: dict[str, str]) -> str:
    """Return a row for each point."""
    rows = [[shown(point[name]) for name in labels] for point in points]
    return rows_table(list(labels.values()), rows)


def judged(value: float, target: Target) -> list[str]:
    """Return a target and whether the value meets it."""
    bound = str(target).replace("<=", "≤").replace(">=", "≥")
    return [bound, "met" if target.holds(value) else "**missed**"]


def _judged(columns: Columns, name: str, target: Target | None) -> list[str]:
    ours = next((runs for layout, runs in columns.items() if layout not in PEERS), [])
    values = [run[name] for run in ours if name in run]
    if target is None or not values:
        return ["", ""]
    return judged(median(values), target)


def _cell(runs: Sequence[Figures], name: str) -> str:
    values = [run[name] for run in runs if name in run]
    if not values:
        return ""
    middle = shown(median(values))
    return (
        middle if shown(min(values)) == shown(max(values)) else f"{middle} ({shown(min(values))}–{shown(max(values))})"
    )
