"""docs/performance.md: the text is a template's, every number comes from the results kept."""

import re
from collections.abc import Callable
from pathlib import Path

from tests.load.figures import Figures
from tests.load.labels import ROWS, SWEEP
from tests.load.markdown import columns_table, lines_table
from tests.load.page_parts import memory_table, profile_tables, ratio_table, steps_table, trace_table, verdicts
from tests.load.plots import write_plots
from tests.load.results import FOLDER, Result

TEMPLATE = Path(__file__).parent / "performance.md.in"
PAGE = FOLDER.with_name("performance.md")
_PLACE = re.compile(r"\{\{ ([a-z-]+)(?: ([a-z-]+))? \}\}")


def write_page(results: dict[str, Result]) -> Path:
    """Write the page and its plots; return where."""
    plots = write_plots(results)
    PAGE.write_text(page(TEMPLATE.read_text(), results, plots))
    return PAGE


def page(template: str, results: dict[str, Result], plots: set[str]) -> str:
    """Fill a template: `{{ table comparison }}` is a table of that part, `{{ plot sweep }}` its plot."""

    def fill(place: re.Match[str]) -> str:
        kind, name = place[1], place[2] or ""
        if kind == "plot":
            return f"![{name}](performance/{name}.svg)" if name in plots else ""
        if kind == "verdicts":
            return verdicts(results)
        if name not in results:
            if kind == "measured":
                return ""
            return f"_Not measured yet: `make bench ONLY={name}`._"
        return FILLERS[kind](results[name])

    return _PLACE.sub(fill, template)


def _table(result: Result) -> str:
    return columns_table(result.columns(), ROWS[result.part], result.part)


def _sweep(result: Result) -> str:
    tables = []
    for layout, points in result.columns().items():
        tables.append(f"{'Swaprail' if layout == 'front' else 'The tuned peer'}:\n\n{lines_table(points, SWEEP)}")
        tables.append(f"The knee is past {_knee(points)} orders a second.")
    return "\n\n".join(tables)


def _knee(points: list[Figures]) -> str:
    held = [point["rate"] for point in points if not point["past_knee"]]
    return f"{max(held):,.0f}" if held else "no"


def _measured(result: Result) -> str:
    settings = ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in result.settings.items())
    return f"Measured {result.date}, commit `{result.commit}`; {settings}."


def _machine(result: Result) -> str:
    rows = "\n".join(f"| {name} | {value} |" for name, value in result.machine.items())
    return f"| | |\n|---|---|\n{rows}"


FILLERS: dict[str, Callable[[Result], str]] = {
    "table": _table,
    "sweep": _sweep,
    "measured": _measured,
    "machine": _machine,
    "ratios": ratio_table,
    "memory": memory_table,
    "steps": steps_table,
    "profile": profile_tables,
    "trace": trace_table,
}
