"""What the runs printed."""

from collections.abc import Sequence

from tests.faults.network.case import Outcome

WIDTH = 38
HEAD = f"{'link':<38} {'toxic':<15} {'slowest answer':>22} {'recovery':>9} {'orders':>6} {'taken over':>10}  answers"


def line(outcome: Outcome) -> str:
    slowest = f"{outcome.slowest_s:.2f} s {outcome.slowest}"
    links = outcome.links if len(outcome.links) <= WIDTH else f"{outcome.links.count(',') + 1} links"
    told = (
        f"{links:<38} {outcome.toxic:<15} {slowest:>22} {outcome.recovery_s:>7.1f} s {outcome.orders:>6} {outcome.taken_over:>10}"
        f"  {outcome.answers}"
    )
    return "\n".join([told, *(f"    ! {text}" for text in outcome.broken[:8])])


def table(outcomes: Sequence[Outcome]) -> str:
    return "\n".join([HEAD, *(line(outcome) for outcome in outcomes)]) + "\n"


def figures(outcomes: Sequence[Outcome]) -> dict[str, int | float | str]:
    """Return what is recorded of a run."""
    return {
        "faults": len(outcomes),
        "orders": sum(outcome.orders for outcome in outcomes),
        "orders taken over": sum(outcome.taken_over for outcome in outcomes),
        "slowest answer, s": round(max(outcome.slowest_s for outcome in outcomes), 2),
        "longest recovery, s": round(max(outcome.recovery_s for outcome in outcomes), 1),
        "violations": sum(len(outcome.broken) for outcome in outcomes),
    }
