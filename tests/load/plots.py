"""Plots of the results as SVG: the same results make the same bytes."""

from collections.abc import Callable
from typing import Any

from tests.load.figures import SHARES, medians
from tests.load.labels import LAYOUTS
from tests.load.results import FOLDER, Columns, Result

SIZE = (7.0, 3.4)


def write_plots(results: dict[str, Result]) -> set[str]:
    """Write a plot of each part that has one and was measured; return their names."""
    return {
        name for name, (part, draw) in PLOTS.items() if part in results and _write(name, draw, results[part].columns())
    }


def _write(name: str, draw: Callable[[Any, Columns], None], columns: Columns) -> bool:
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    with mpl.rc_context(
        {"svg.hashsalt": "swaprail", "svg.fonttype": "none", "font.size": 9, "axes.grid": True, "grid.alpha": 0.3}
    ):
        figure, axes = plt.subplots(figsize=SIZE, layout="constrained")
        draw(axes, columns)
        figure.savefig(FOLDER / f"{name}.svg", metadata={"Date": None, "Creator": None})
        plt.close(figure)
    return True


def _sweep(axes: Any, columns: Columns) -> None:
    for layout, points in columns.items():
        rates = [point["rate"] for point in points]
        for share, style in (("p50", "-"), ("p99", "--")):
            overheads = [max(0.1, point[f"overhead_{share}_ms"]) for point in points]
            axes.plot(rates, overheads, style, marker="o", color=_colour(layout), label=f"{LAYOUTS[layout]}, {share}")
    axes.axhline(250, color="grey", linewidth=1)
    axes.set(xlabel="orders a second, open loop", ylabel="overhead, ms", yscale="log")
    axes.legend()


def _latency(axes: Any, columns: Columns) -> None:
    for layout, runs in columns.items():
        middle = medians(runs)
        axes.plot(
            [middle[f"overhead_at_{s}"] for s in SHARES[:-1]],
            SHARES[:-1],
            marker=".",
            color=_colour(layout),
            label=LAYOUTS[layout],
        )
    axes.set(xlabel="overhead over the venues' time, ms", ylabel="share of orders", xscale="log", ylim=(0, 1))
    axes.legend()


def _cpu(axes: Any, columns: Columns) -> None:
    layouts = list(columns)
    left = [0.0] * len(layouts)
    middles = [medians(columns[layout]) for layout in layouts]
    names = sorted({name for middle in middles for name in middle if name.startswith("cpu_ms_")} - NO_PROCESS)
    for name in names:
        widths = [middle.get(name, 0.0) for middle in middles]
        axes.barh([LAYOUTS[layout] for layout in layouts], widths, left=left, label=name.removeprefix("cpu_ms_"))
        left = [at + width for at, width in zip(left, widths, strict=True)]
    axes.set(xlabel="CPU an order at saturation, ms")
    axes.invert_yaxis()
    axes.legend(ncols=3)


def _orders(axes: Any, columns: Columns) -> None:
    for layout, runs in columns.items():
        rates = [run["confirmed_per_s"] for run in runs]
        middle = medians(runs)["confirmed_per_s"]
        axes.barh(
            LAYOUTS[layout],
            middle,
            color=_colour(layout),
            xerr=[[middle - min(rates)], [max(rates) - middle]],
            capsize=4,
        )
    axes.set(xlabel="orders a second to CONFIRMED: median, lowest and highest run")
    axes.invert_yaxis()


def _colour(layout: str) -> str:
    return {"front": "#1f77b4", "separate": "#17becf", "tuned": "#d62728"}.get(layout, "#ff9896")


NO_PROCESS = {"cpu_ms_services", "cpu_ms_engine", "cpu_ms_generator"}
PLOTS: dict[str, tuple[str, Callable[[Any, Columns], None]]] = {
    "sweep": ("sweep", _sweep),
    "latency": ("comparison-latency", _latency),
    "cpu": ("comparison", _cpu),
    "comparison": ("comparison", _orders),
}
