"""A copy of the tree in which a bug may be planted, and its tests run."""

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.tree_copy import copied_tree, environment_of

LONGEST_S = 300
SEEDS = 100
_OUTCOME = re.compile(r"^(PASSED|FAILED|ERROR|SKIPPED)\b(?: \[\d+\])? (\S+)", re.MULTILINE)


class Ran(NamedTuple):
    """How a run of pytest ended: its exit code, what became of each test, and what it printed."""

    code: int
    outcomes: dict[str, str]
    text: str


class Tree:
    """The copy. Its packages come before the installed ones, in its tests and in the services that they start."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._env = environment_of(home)

    def plant(self, patch: Path) -> None:
        """Apply the patch; CalledProcessError when it does not fit the source any more."""
        self._git("apply", "--whitespace=nowarn", str(patch))

    def heal(self, patch: Path) -> None:
        """Take the patch back."""
        self._git("apply", "--whitespace=nowarn", "--reverse", str(patch))

    def run(self, tests: Sequence[str]) -> Ran:
        """Run the tests with pytest."""
        command = [sys.executable, "-m", "pytest", "-q", "-rA", "--tb=line", "-p", "no:xdist", *tests]
        done = subprocess.run(
            command, cwd=self.home, env=self._env, capture_output=True, text=True, timeout=LONGEST_S, check=False
        )
        return Ran(done.returncode, {test: state for state, test in _OUTCOME.findall(done.stdout)}, done.stdout)

    def simulate(self) -> str:
        """Return what the simulation says of its first seeds."""
        command = [sys.executable, "-m", "tests.simulation", "--seeds", str(SEEDS), "--workers", "1"]
        done = subprocess.run(
            command, cwd=self.home, env=self._env, capture_output=True, text=True, timeout=LONGEST_S, check=False
        )
        return done.stdout + done.stderr

    def _git(self, *arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=self.home, capture_output=True, text=True, timeout=30, check=True)


@contextmanager
def copy_of_tree() -> Iterator[Tree]:
    """Copy this tree; leave nothing behind."""
    with copied_tree() as home:
        yield Tree(home)
