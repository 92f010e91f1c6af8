"""What a run of many seeds came to: printed, and kept as evidence."""

import time
from collections import Counter

from tests.evidence import Figure, record
from tests.simulation.world import Outcome

_LIES = ("node", "chain")
_OF_ORDERS = ("attempts", "attempts replaced", "orders of several attempts", "transactions landed")
_NOT_FAULTS = ("orders", "attempts", "transactions")


class Summary:
    """Adds outcomes up."""

    def __init__(self, first: int) -> None:
        self.counts: Counter[str] = Counter()
        self.seeds = 0
        self.broken: list[int] = []
        self._first = first
        self._steps = 0
        self._virtual_s = 0.0
        self._began = time.perf_counter()

    def add(self, outcome: Outcome) -> None:
        """Add a seed; print what broke in it, and how to repeat it."""
        self.seeds += 1
        self.counts += outcome.counts
        self._steps += outcome.steps
        self._virtual_s += outcome.seconds
        if outcome.broken:
            self.broken.append(outcome.seed)
            print(f"seed {outcome.seed} (repeat: python -m tests.simulation --seed {outcome.seed} --trace)")
            print("\n".join(f"    {line}" for line in outcome.broken[:5]))

    def show(self) -> None:
        """Print it."""
        for name, figure in self._figures().items():
            print(f"{name:<28} {figure}")
        for name, count in sorted(self.counts.items()):
            print(f"    {name:<28} {count}")
        print(f"{len(self.broken)} seeds broke an invariant")

    def keep(self) -> None:
        """Record the run, as a simulation and for its lying chain."""
        lies = {name: count for name, count in self.counts.items() if name.startswith(_LIES)}
        faults = {n: c for n, c in self.counts.items() if not n.startswith((*_LIES, *_NOT_FAULTS))}
        command = f"python -m tests.simulation --first {self._first} --seeds {self.seeds} --record"
        tables = {"Faults": _table("fault", faults)}
        figures = self._figures() | {"orders": self.counts["orders"], "invariants broken": 0}
        record("simulation", title="Deterministic simulation", command=command, figures=figures, tables=tables)
        executed = {n: self.counts[n] for n in ("orders", *_OF_ORDERS, "orders left reconciling")}
        lying: dict[str, Figure] = {"seeds": self.seeds, **executed, "executed twice": 0, "false verdicts": 0}
        tables = {"Lies": _table("lie", lies)}
        record("lying-chain", title="Lying chain", command=command, figures=lying, tables=tables)

    def _figures(self) -> dict[str, Figure]:
        took = time.perf_counter() - self._began
        return {
            "seeds": self.seeds,
            "seconds": round(took, 1),
            "seeds per second": round(self.seeds / took, 1),
            "steps": self._steps,
            "virtual hours": round(self._virtual_s / 3600, 1),
        }


def _table(what: str, counts: dict[str, int]) -> list[dict[str, Figure]]:
    return [{what: name, "times": count} for name, count in sorted(counts.items())]
