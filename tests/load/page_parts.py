"""The parts of the page that are more than a table of figures."""

from statistics import median

from tests.load.comparison import ratios
from tests.load.figures import COMPARISON_TARGETS, medians, shown, targets_of
from tests.load.labels import ROWS, STEPS
from tests.load.markdown import rows_table, verdict
from tests.load.profile_run import Sampled
from tests.load.results import Result
from tests.load.sampling import Profile
from tests.load.spans import Step

JUDGED = ("comparison-latency", "throughput", "latency", "fanout")
TOP = 8


def verdicts(results: dict[str, Result]) -> str:
    """Return every target with what was measured."""
    rows = []
    if "comparison" in results:
        for name, target in COMPARISON_TARGETS.items():
            value = ratios(results["comparison"].columns())[name]
            rows.append(
                [
                    f"{_plain('comparison', name)}, times the tuned peer's",
                    shown(value),
                    str(target),
                    verdict(value, target),
                ]
            )
    for part in [
        part for part in JUDGED if part in results and not (part == "comparison-latency" and "latency" in results)
    ]:
        ours = next(iter(results[part].columns().values()))
        for name, target in targets_of(part).items():
            values = [run[name] for run in ours if name in run]
            if values:
                rows.append(
                    [
                        f"{part}: {_plain(part, name)}",
                        shown(median(values)),
                        str(target),
                        verdict(median(values), target),
                    ]
                )
    return rows_table(["", "measured", "target", ""], rows)


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
