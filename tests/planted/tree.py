"""A copy of the tree in which bugs are planted, one after the other, and their tests run."""

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.forks.client import ADDRESS, ask, forks
from tests.tree_copy import compile_copy, copied_tree, environment_of

LONGEST_S = 300
SEEDS = 100
_OUTCOME = re.compile(r"^(PASSED|FAILED|ERROR|SKIPPED)\b(?: \[\d+\])? (\S+)", re.MULTILINE)
_OPTIONS = ("-q", "-rA", "--tb=line")


class Ran(NamedTuple):
    """How a run of pytest ended: its exit code, what became of each test, and what it printed."""

    code: int
    outcomes: dict[str, str]
    text: str


class Tree:
    """The copy. Its packages come before the installed ones, in its tests and in the services that they start."""

    def __init__(self, home: Path, environment: Mapping[str, str]) -> None:
        self.home = home
        self._env = environment

    @contextmanager
    def planted(self, patch: Path) -> Iterator[None]:
        """Apply the patch for a while; CalledProcessError when it does not fit the source any more."""
        self._git("apply", "--whitespace=nowarn", str(patch))
        try:
            yield
        finally:
            self._git("apply", "--whitespace=nowarn", "--reverse", str(patch))

    def run(self, tests: Sequence[str]) -> Ran:
        """Run the tests with pytest, on a database that was migrated before anything was planted."""
        code, said = ask(self._env[ADDRESS], [*_OPTIONS, *tests], LONGEST_S)
        return _ran(code, said)

    def run_afresh(self, tests: Sequence[str]) -> Ran:
        """Run the tests with pytest, on a database that the tree as it is now has migrated."""
        done = self._run("pytest", *_OPTIONS, "-p", "no:xdist", *tests, env=environment_of(self.home))
        return _ran(done.returncode, done.stdout)

    def simulate(self) -> str:
        """Return what the simulation says of its first seeds."""
        done = self._run("tests.simulation", "--seeds", str(SEEDS), "--workers", "1", env=self._env)
        return done.stdout + done.stderr

    def _run(self, module: str, *arguments: str, env: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", module, *arguments]
        return subprocess.run(
            command, cwd=self.home, env=env, capture_output=True, text=True, timeout=LONGEST_S, check=False
        )

    def _git(self, *arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=self.home, capture_output=True, text=True, timeout=30, check=True)


@contextmanager
def copy_of_tree(tests: Iterable[str]) -> Iterator[Tree]:
    """Copy this tree, make ready to run the tests, and leave nothing behind."""
    files = {test.partition("::")[0] for test in tests}
    with copied_tree() as home:
        compile_copy(home)
        with forks(sorted(files), home, environment_of(home)) as environment:
            yield Tree(home, environment)


def _ran(code: int, said: str) -> Ran:
    return Ran(code, {test: state for state, test in _OUTCOME.findall(said)}, said)
