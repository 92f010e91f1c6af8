"""Results as text for a terminal."""

import json

from tests.load.comparison import ratios
from tests.load.figures import COMPARISON_TARGETS, Figures, Target, medians, shown, targets_of
from tests.load.options import PEERS
from tests.load.profile_report import profile_text, steps_text
from tests.load.profile_run import Sampled
from tests.load.results import Columns, Result
from tests.load.spans import Step

GROUPS = (
    "orders",
    "confirmed_per_s",
    "accepted_per_s",
    "overhead",
    "commit_to",
    "sent_to",
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


def text_of(result: Result) -> str:
    if result.part == "profile":
        return "\n\n".join(profile_text(sampled) for sampled in result.decode(list[Sampled]))
    if result.part == "trace":
        return steps_text(result.decode(list[Step]))
    columns = result.columns()
    if result.part == "sweep":
        return "\n\n".join(_points(layout, points) for layout, points in columns.items())
    texts = [json_lines(result.part, columns), table(result.part, columns)]
    return "\n\n".join([*texts, ratio_lines(columns)] if result.part.startswith("comparison") else texts)


def table(part: str, columns: Columns) -> str:
    """Return a table with a column for each layout, medians of its runs."""
    middles = {layout: medians(runs) for layout, runs in columns.items()}
    targets = targets_of(part)
    names = dict.fromkeys(name for figures in middles.values() for name in figures if "_at_" not in name)
    titles = [f"{layout}, {len(runs)} run{'s'[: len(runs) > 1]}" for layout, runs in columns.items()]
    width = max(18, *(len(title) + 2 for title in titles))
    head = f"{part:<30}" + "".join(f"{title:>{width}}" for title in titles) + f"{'target':>12}"
    lines = [head, "-" * len(head)]
    for name in sorted(names, key=_rank):
        cells = "".join(f"{_cell(figures, name, layout, targets):>{width}}" for layout, figures in middles.items())
        lines.append(f"{name:<30}{cells}{targets.get(name, '')!s:>12}")
    return "\n".join(lines)


def json_lines(part: str, columns: Columns) -> str:
    """Return a line for each run."""
    runs = [(layout, number, run) for layout, all_of in columns.items() for number, run in enumerate(all_of, 1)]
    return "\n".join(
        json.dumps({"kind": part, "layout": layout, "run": number} | {n: round(v, 3) for n, v in run.items()})
        for layout, number, run in runs
    )


def ratio_lines(columns: Columns) -> str:
    """Return ours over the tuned peer's, marked where it misses its target."""
    lines = []
    for name, value in ratios(columns).items():
        target = COMPARISON_TARGETS.get(name)
        missed = target is not None and not target.holds(value)
        lines.append(
            f"{'! ' * missed}{name}: {value:.2f} times the tuned peer's{f', target {target}' if target else ''}"
        )
    return "\n".join(lines)


def _points(layout: str, points: list[Figures]) -> str:
    names = ("rate", "confirmed_per_s", "overhead_p50_ms", "overhead_p99_ms", "post_p99_ms", "growth_ms_per_s")
    head = f"{'sweep, ' + layout:<14}" + "".join(f"{name:>18}" for name in names)
    rows = [" " * 14 + "".join(f"{shown(point[name]):>18}" for name in names) for point in points]
    return "\n".join([head, "-" * len(head), *rows])


def _cell(figures: Figures, name: str, layout: str, targets: dict[str, Target]) -> str:
    if name not in figures:
        return "-"
    missed = layout not in PEERS and name in targets and not targets[name].holds(figures[name])
    return ("! " if missed else "") + shown(figures[name])


def _rank(name: str) -> tuple[int, str]:
    """Orders, speed, times, counts, costs, memory."""
    return next((at for at, group in enumerate(GROUPS) if name.startswith(group)), len(GROUPS)), name
