"""Every lie, with two nodes and with three: as many seeds of each, printed, and kept as evidence one by one."""

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import product

from tests.evidence import Figure, load_records, record
from tests.evidence.records import measured_commit
from tests.simulation.batch import run_seeds
from tests.simulation.lies import Lie, Lying
from tests.simulation.summary import Summary

NAME, _TABLE = "lying-nodes", "Each lie"
TOLD = ("orders", "orders of several attempts", "transactions landed", "orders left reconciling")
type Row = dict[str, Figure]


def run_each_lie(first: int, seeds: int, workers: int, *, lies: Iterable[Lie] = Lie, keep: bool = False) -> int:
    """Run so many seeds of each; 1 when an invariant broke in one of them."""
    for lie, nodes in product(lies, (2, 3)):
        summary = Summary(first)
        for outcome in run_seeds(first, seeds, workers, Lying(lie, nodes)):
            summary.add(outcome)
        if summary.broken:
            print(f"{len(summary.broken)} seeds broke an invariant (--lie {lie} --nodes {nodes})")
            return 1
        row = _row(lie, nodes, summary)
        print(row, flush=True)
        if keep:
            _keep(first, seeds, row)
    return 0


def _row(lie: Lie, nodes: int, summary: Summary) -> Row:
    told: Row = {name: summary.counts[name] for name in TOLD}
    return {"lie": str(lie), "nodes": nodes, "seeds": summary.seeds, **told}


def _keep(first: int, seeds: int, row: Row) -> None:
    kept = next((kept.tables[_TABLE] for kept in load_records() if kept.name == NAME), [])
    measured: Row = {"date": datetime.now(UTC).date().isoformat(), "commit": measured_commit()}
    rows = merged(kept, row | measured)
    record(
        NAME,
        title="One lying node of two, and of three",
        command=f"python -m tests.simulation --each-lie --first {first} --seeds {seeds} --record",
        figures={
            "lies and numbers of nodes": f"{len(rows)} of {2 * len(Lie)}",
            "seeds": sum(int(row["seeds"]) for row in rows),
            "executed twice": 0,
            "false verdicts": 0,
        },
        tables={_TABLE: rows},
    )


def merged(kept: Iterable[Row], row: Row) -> list[Row]:
    """Return the rows with this one in the place of the one for the same lie and nodes: each takes long."""
    names = [str(lie) for lie in Lie]
    others = [other for other in kept if (other["lie"], other["nodes"]) != (row["lie"], row["nodes"])]
    return sorted([*others, row], key=lambda row: (names.index(str(row["lie"])), int(row["nodes"])))
