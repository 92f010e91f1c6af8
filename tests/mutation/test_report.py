"""What is kept of a run: a group's rows take the place of its own, and of no other's."""

from collections import Counter

from tests.evidence import Record, guarantees_page
from tests.mutation.mutants import Mutant
from tests.mutation.report import merged
from tests.mutation.verdict import Survivor, Verdict

SURVIVOR = Survivor(Mutant("services/a.py", "f", "core/AddNot", "if x | y", "if not x | y", None), "x is true")


def verdict(mutants: int, *survivors: Survivor) -> Verdict:
    return Verdict(mutants, mutants - len(survivors), list(survivors), [], [])


def test_other_groups_stay_when_one_is_run_again() -> None:
    first = merged({}, "notifier", verdict(9), Counter(), 0)
    both = merged(first, "executor", verdict(20, SURVIVOR), Counter({"a rule": 3}), 0)
    again = merged(both, "executor", verdict(30, SURVIVOR), Counter({"a rule": 4}), 5)
    assert [(row["group"], row["mutants"], row["killed"]) for row in again["Each group"]] == [
        ("executor", 30, 29),
        ("notifier", 9, 9),
    ]
    assert [(row["place"], row["why it is no hole"]) for row in again["Survivors"]] == [("a.py, f", "x is true")]
    assert [row["mutants"] for row in again["Left out before the run"]] == [4]


def test_the_page_can_be_rendered_when_nothing_survived_or_has_a_bar_in_it() -> None:
    for kept in (
        merged({}, "executor", verdict(9), Counter(), 0),
        merged({}, "executor", verdict(9, SURVIVOR), Counter(), 0),
    ):
        page = guarantees_page([Record("mutation", "Mutants", "make", "today", "abc", 2, "3", {"mutants": 9}, kept)])
        assert "| executor |" in page
        assert "x | y" not in page
