"""A copy of the tree in which a bug may be planted, and its tests run."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
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
        sources = [str(source) for source in sorted(home.glob("*/*/src"))]
        # RECORD is meant for what this command finds out, not for the suites that it runs.
        given = {name: value for name, value in os.environ.items() if name != "RECORD"}
        self._env = {**given, "PYTHONPATH": os.pathsep.join(sources), "PYTHONDONTWRITEBYTECODE": "1"}

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
    """Copy what git knows, or would, of this tree; leave nothing behind."""
    home = Path(tempfile.mkdtemp(prefix="swaprail-planted-"))
    home.chmod(0o755)
    try:
        for name in _files():
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, home / name)
        subprocess.run(["git", "init", "--quiet"], cwd=home, timeout=30, check=True)
        yield Tree(home)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _files() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
