"""Every lie, with two nodes and with three: as many seeds of each, printed, and kept as evidence."""

from itertools import product

from tests.evidence import Figure, record
from tests.simulation.batch import run_seeds
from tests.simulation.lies import Lie, Lying
from tests.simulation.summary import Summary

TOLD = ("orders", "orders of several attempts", "transactions landed", "orders left reconciling")


def run_each_lie(first: int, seeds: int, workers: int, *, keep: bool) -> int:
    """Run so many seeds of each; 1 when an invariant broke in one of them."""
    rows: list[dict[str, Figure]] = []
    for lie, nodes in product(Lie, (2, 3)):
        summary = Summary(first)
        for outcome in run_seeds(first, seeds, workers, Lying(lie, nodes)):
            summary.add(outcome)
        if summary.broken:
            print(f"{len(summary.broken)} seeds broke an invariant (--lie {lie} --nodes {nodes})")
            return 1
        told: dict[str, Figure] = {name: summary.counts[name] for name in TOLD}
        rows.append({"lie": str(lie), "nodes": nodes, "seeds": summary.seeds, **told})
        print(rows[-1], flush=True)
    if keep:
        _keep(first, seeds, rows)
    return 0


def _keep(first: int, seeds: int, rows: list[dict[str, Figure]]) -> None:
    record(
        "lying-nodes",
        title="One lying node of two, and of three",
        command=f"python -m tests.simulation --each-lie --first {first} --seeds {seeds} --record",
        figures={"seeds": seeds * len(rows), "executed twice": 0, "false verdicts": 0},
        tables={"Each lie": rows},
    )
