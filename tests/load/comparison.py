"""Our figures over the peer's."""

from collections.abc import Sequence

from tests.load.figures import COMPARISON_TARGETS, Figures, medians
from tests.load.report import Outcome

NAMES = ("confirmed_per_s", "cpu_ms_engine", "cpu_ms_services", "overhead_p50_ms", "overhead_p99_ms")


def ratios(outcomes: Sequence[Outcome]) -> Figures:
    """Return ours over the tuned peer's, of medians."""
    ours, tuned = (medians(_of(outcomes, layout).runs) for layout in ("front", "tuned"))
    return {name: ours[name] / tuned[name] for name in NAMES if tuned.get(name)}


def with_ratio(outcomes: Sequence[Outcome]) -> None:
    for name, value in ratios(outcomes).items():
        target = COMPARISON_TARGETS.get(name)
        mark = "" if target is None or target.holds(value) else "! "
        print(
            f"{mark}{name}: {value:.2f} times the tuned peer's" + (f", target {target}" if target else ""), flush=True
        )


def _of(outcomes: Sequence[Outcome], layout: str) -> Outcome:
    return next(outcome for outcome in outcomes if outcome.layout == layout)
