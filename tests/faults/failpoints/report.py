"""What a campaign showed, for people and for docs/evidence."""

from tests.evidence import Figure, record
from tests.faults.failpoints.points import POINTS
from tests.faults.failpoints.trial import Outcome
from tests.faults.failpoints.trigger import Phase


def line(outcome: Outcome) -> str:
    """Return a trial as a line; a broken one with what it needs to be repeated."""
    head = f"{outcome.title}: {outcome.orders} orders, {outcome.seconds:.1f} s, recovery {outcome.recovery_s:.1f} s"
    return head + "".join(f"\n    BROKEN {text[:2000]}" for text in outcome.broken) + "\n"


def figures(outcomes: list[Outcome], seconds: float) -> dict[str, Figure]:
    recoveries = sorted(outcome.recovery_s for outcome in outcomes) or [0.0]
    return {
        "names": len({(o.service, o.point) for o in outcomes}),
        "trials": len(outcomes),
        "kills": sum(o.kills for o in outcomes),
        "answers lost": sum(o.phase is Phase.LOST for o in outcomes),
        "orders": sum(o.orders for o in outcomes),
        "breaks": sum(len(o.broken) for o in outcomes),
        "until all orders of a trial ended, median s": round(recoveries[len(recoveries) // 2], 1),
        "until all orders of a trial ended, longest s": round(recoveries[-1], 1),
        "run s": round(seconds),
    }


def by_service(outcomes: list[Outcome]) -> list[dict[str, Figure]]:
    return [_row(name, [o for o in outcomes if o.service == name]) for name in dict.fromkeys(p.service for p in POINTS)]


def _row(service: str, own: list[Outcome]) -> dict[str, Figure]:
    return {
        "service": service,
        "names": len({o.point for o in own}),
        "killed before": sum(o.phase is Phase.BEFORE for o in own),
        "killed after": sum(o.phase is Phase.AFTER for o in own),
        "answer lost": sum(o.phase is Phase.LOST for o in own),
        "orders": sum(o.orders for o in own),
        "breaks": sum(len(o.broken) for o in own),
    }


def summary(outcomes: list[Outcome], seconds: float) -> str:
    shown = [f"{name}: {value}" for name, value in figures(outcomes, seconds).items()]
    broken = [line(outcome) for outcome in outcomes if outcome.broken]
    return "\n".join([*broken, *shown, *_lines(by_service(outcomes))]) + "\n"


def _lines(rows: list[dict[str, Figure]]) -> list[str]:
    lines: list[list[Figure]] = [list(rows[0]), *(list(row.values()) for row in rows)]
    return ["  ".join(f"{cell!s:>13}" for cell in cells) for cells in lines]


def keep(outcomes: list[Outcome], seconds: float, command: str) -> None:
    record(
        "failpoints",
        title="A service dies before and after every effect",
        command=command,
        figures=figures(outcomes, seconds),
        tables={"By service": by_service(outcomes)},
    )
