"""`python -m tests.load.fanout`: what one notifier delivers, how late, and what its connections weigh."""

import argparse
import sys

import uvloop

from tests.load.fanout_engine import commit_to_client
from tests.load.fanout_run import TARGETS, Sizes, fanout_run
from tests.load.figures import Figures

SHORT = Sizes(orders=128, seconds=3, idle=2_000)


def measure(*, short: bool = False) -> Figures:
    """Return all figures of the fan-out."""
    figures = fanout_run(SHORT if short else Sizes())
    return figures | uvloop.run(commit_to_client(seconds=5 if short else 20))


def main() -> int:
    """Measure, print a table with targets; return 1 when a target was missed."""
    parser = argparse.ArgumentParser(prog="tests.load.fanout")
    parser.add_argument("--short", action="store_true", help="the same in less than half a minute")
    parser.add_argument("--only", choices=("notifier", "engine"), help="leave the other part out")
    given = parser.parse_args()
    figures: Figures = {}
    if given.only != "engine":
        figures |= fanout_run(SHORT if given.short else Sizes())
    if given.only != "notifier":
        figures |= uvloop.run(commit_to_client(seconds=5 if given.short else 20))
    print(table(figures))
    return any(name in TARGETS and not TARGETS[name].holds(value) for name, value in figures.items())


def table(figures: Figures) -> str:
    """Return a line for each figure, marked where it misses its target."""
    lines = ["fan-out (the clients are a process of their own on the same processors)"]
    for name, value in figures.items():
        target = TARGETS.get(name)
        missed = "! " if target is not None and not target.holds(value) else ""
        shown = f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.2f}"
        lines.append(f"{name:<32}{missed + shown:>14}{'' if target is None else str(target):>14}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
