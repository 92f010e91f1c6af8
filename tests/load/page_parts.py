"""The parts of the page that are more than a table of figures."""

from tests.load.comparison import ratios
from tests.load.figures import COMPARISON_TARGETS, medians, shown, targets_of
from tests.load.labels import ROWS, STEPS
from tests.load.markdown import judged, rows_table
from tests.load.profile_run import Sampled
from tests.load.results import Result
from tests.load.sampling import Profile
from tests.load.spans import Step

JUDGED = ("comparison-latency", "throughput", "latency", "fanout")
TOP = 8


def verdicts(results: dict[str, Result]) -> str:
    """Return every target with what was measured."""
    rows = [row for part in ("comparison", *JUDGED) if part in results for row in _judged_part(results[part])]
    if "latency" in results:  # it measures what the comparison measures too, and no peer in between
        rows = [row for row in rows if not row[0].startswith("comparison-latency:")]
    return rows_table(["", "measured", "target", ""], rows)


def _judged_part(result: Result) -> list[list[str]]:
    part, columns = result.part, result.columns()
    if part == "comparison":
        over = ratios(columns)
        return [
            [f"{_plain(part, name)}, times the tuned peer's", shown(over[name]), *judged(over[name], target)]
            for name, target in COMPARISON_TARGETS.items()
        ]
    middle = medians(next(iter(columns.values())))
    return [
        [f"{part}: {_plain(part, name)}", shown(middle[name]), *judged(middle[name], target)]
        for name, target in targets_of(part).items()
        if name in middle
    ]


def ratio_table(result: Result) -> str:
    rows = [
        [f"{_plain(result.part, name)}, ours over the tuned peer's", f"{value:.2f}"]
        for name, value in ratios(result.columns()).items()
    ]
    return rows_table(["", "ratio"], rows)


def memory_table(result: Result) -> str:
    (run,) = result.columns()["front"]
    names = [name.removeprefix("idle_mb_") for name in run if name.startswith("idle_mb_")]
    rows = []
    for name in names:
        idle, held = run[f"idle_mb_{name}"], run[f"mb_{name}"]
        rows.append([name, shown(idle), shown(held), shown((held - idle) * 1e6 / 1024 / run["orders"])])
    head = ["process", "MB at the start", f"MB with {run['orders']:,.0f} open orders", "KiB an order"]
    return rows_table(head, rows)


def steps_table(result: Result) -> str:
    """Return the time between an order's commits, at a steady rate."""
    middle = medians(result.columns()["front"])
    rows = [
        [label, shown(middle[f"{name}_p50_ms"]), shown(middle[f"{name}_p99_ms"])]
        for name, label in STEPS.items()
        if f"{name}_p50_ms" in middle
    ]
    return rows_table(["step", "p50, ms", "p99, ms"], rows)


def trace_table(result: Result) -> str:
    steps = result.decode(list[Step])
    rows = [
        [step.service, f"`{step.name}`", f"{step.begins:.1f}", f"{step.p50:.2f}", f"{step.p99:.2f}"] for step in steps
    ]
    return rows_table(["service", "span", "begins after, ms", "takes p50, ms", "takes p99, ms"], rows)


def profile_tables(result: Result) -> str:
    texts = []
    for sampled in result.decode(list[Sampled]):
        total = sum(profile.cpu_ms for profile in sampled.processes)
        texts.append(f"### {sampled.load.capitalize()}: {total:.2f} ms of CPU of the services an order")
        texts += [_profile(profile) for profile in sampled.processes]
    return "\n\n".join(texts)


def _profile(profile: Profile) -> str:
    packages = ", ".join(f"{name} {ms:.3f}" for name, ms in list(profile.packages.items())[:TOP])
    rows = [[f"`{hot.name}`", f"{hot.own_ms:.3f}", f"{hot.total_ms:.3f}"] for hot in profile.hottest[:TOP]]
    table = rows_table(["hottest functions", "itself, ms", "with what it calls, ms"], rows)
    return f"**{profile.process}**, {profile.cpu_ms:.2f} ms. By package, ms: {packages}.\n\n{table}"


def _plain(part: str, name: str) -> str:
    return ROWS[part].get(name, name.replace("_", " ")).replace("*", "")
