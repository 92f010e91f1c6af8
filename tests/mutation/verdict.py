"""The verdict over the mutants: enough of them killed, and every survivor explained in survivors.toml."""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.mutation.mutants import Mutant

LEAST_SCORE = 90.0
EXPLAINED = Path(__file__).with_name("survivors.toml")
type Key = tuple[str, str, str, str, str]


class Survivor(NamedTuple):
    """A mutant that no test noticed, and why that is no hole; no explanation: it is one."""

    mutant: Mutant
    why: str


class Verdict(NamedTuple):
    """What came of a group of modules. stale: explanations of what does not survive (any more)."""

    mutants: int
    killed: int
    survivors: list[Survivor]
    stale: list[Key]
    unclear: list[Mutant]

    @property
    def score(self) -> float:
        """The killed ones of a hundred; what is explained has survived all the same."""
        return 100 * self.killed / self.mutants if self.mutants else 100.0

    @property
    def passes(self) -> bool:
        """Tell whether the score is high enough, and nothing is left to explain."""
        unexplained = any(not survivor.why for survivor in self.survivors)
        return self.score >= LEAST_SCORE and not unexplained and not self.stale and not self.unclear


def key_of(mutant: Mutant) -> Key:
    """Return what tells a mutant from the others, as long as its line is what it is."""
    return mutant.module, mutant.place, mutant.operator, mutant.was, mutant.becomes


def read_explanations(text: str) -> dict[Key, str]:
    """Return why each survivor is harmless."""
    entries = tomllib.loads(text).get("survivor", [])
    return {
        (entry["module"], entry["place"], entry["operator"], entry["was"], entry["becomes"]): entry["why"].strip()
        for entry in entries
    }


def judge(mutants: Sequence[Mutant], explained: Mapping[Key, str], modules: Iterable[str]) -> Verdict:
    """Judge the mutants of the modules, all of which have run."""
    unclear = [mutant for mutant in mutants if mutant.noticed is not None and mutant.noticed.unclear]
    survived = [mutant for mutant in mutants if mutant.noticed is None]
    judged = set(modules)
    expected = {key for key in explained if key[0] in judged}
    return Verdict(
        len(mutants),
        len(mutants) - len(survived) - len(unclear),
        [Survivor(mutant, explained.get(key_of(mutant), "")) for mutant in survived],
        sorted(expected - {key_of(mutant) for mutant in survived}),
        unclear,
    )
