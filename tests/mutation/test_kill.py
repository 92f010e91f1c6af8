"""What is taken for a kill, what is tried again, and what says nothing of a mutant."""

import signal

import pytest

from tests.mutation.groups import Stage
from tests.mutation.kill import what_noticed

STAGE = Stage("its own tests", ("test_a.py",))


def test_nobody_noticed_a_mutant_when_all_tests_pass() -> None:
    assert what_noticed(STAGE, 0, "3 passed") is None


@pytest.mark.parametrize(
    ("code", "said", "by", "slow", "unclear"),
    [
        (1, "FAILED tests/test_a.py::test_b - assert 0", "test_a.py::test_b", False, False),
        (1, "++++ Timeout ++++", "exit code 1", True, False),
        (-signal.SIGKILL, "", "the time limit", True, False),
        (4, "ImportError while loading conftest '/x/conftest.py'.", "the import", False, False),
        (4, "ERROR: file or directory not found: x", "exit code 4", False, True),
        (3, "INTERNALERROR>", "exit code 3", False, True),
        (1, "ERROR tests/test_a.py::test_b - ServerFailedError: no start", "test_a.py::test_b", False, True),
    ],
)
def test_it_is_known_who_noticed_a_mutant_and_whether_that_counts(
    code: int, said: str, by: str, slow: bool, unclear: bool
) -> None:
    noticed = what_noticed(STAGE, code, said)
    assert noticed is not None
    assert (noticed.by, noticed.slow, noticed.unclear) == ((by,), slow, unclear)


@pytest.mark.parametrize(
    ("said", "unclear"),
    [
        ("2 seeds broke an invariant (--lie revert --nodes 2)", False),
        ("0 seeds broke an invariant\nTraceback (most recent call last):", True),
    ],
)
def test_the_simulation_notices_by_an_invariant_and_not_by_failing_itself(said: str, unclear: bool) -> None:
    noticed = what_noticed(Stage("simulation", (), simulated=True), 1, said)
    assert noticed is not None
    assert noticed.unclear is unclear
