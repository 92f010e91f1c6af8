"""What cosmic-ray runs for each mutant: its stages one after the other, until one of them notices it.

In the copy of the tree, with the source as the mutant has it. Says on one line which stage noticed it, by which tests.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.forks.client import ADDRESS, ask
from tests.mutation.groups import Stage, module_of
from tests.mutation.noticed import LATE, Noticed, as_line

# A test that hangs takes the process along: raised as an exception, the time limit may end another task than the test's.
OPTIONS = ("-x", "-q", "-rfE", "--tb=short", "--timeout-method=thread", "-p", "tests.mutation.noticers_first")
_BROKEN = re.compile(r"^[1-9]\d* seeds broke an invariant", re.MULTILINE)
_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)


def main(path: str) -> int:
    """Return 1 when a stage noticed the mutant, 0 when it survives them all."""
    for stage in module_of(path).stages:
        noticed = run_stage(stage, Path.cwd(), os.environ)
        if noticed is not None:
            print(as_line(noticed))
            return 1
    return 0


def run_stage(stage: Stage, home: Path, environment: Mapping[str, str]) -> Noticed | None:
    """Return who noticed what is wrong with the tree, or None when all tests of the stage pass."""
    noticed = _try(stage, home, environment)
    # The machine may have been busy, or have stood still: what is slow twice is slow.
    return _try(stage, home, environment) if noticed is not None and noticed.slow else noticed


def _try(stage: Stage, home: Path, environment: Mapping[str, str]) -> Noticed | None:
    if stage.simulated:
        code, said = _simulate(stage, home, environment)
    else:
        code, said = ask(
            environment[ADDRESS], [*OPTIONS, f"--timeout={stage.longest_test_s}", *stage.arguments], stage.longest_s
        )
    return what_noticed(stage, code, said)


def _simulate(stage: Stage, home: Path, environment: Mapping[str, str]) -> tuple[int, str]:
    command = [sys.executable, "-m", "tests.simulation", *stage.arguments]
    try:
        done = subprocess.run(
            command, cwd=home, env=environment, capture_output=True, text=True, timeout=stage.longest_s, check=False
        )
    except subprocess.TimeoutExpired:
        return -signal.SIGKILL, ""
    return done.returncode, done.stdout + done.stderr


def what_noticed(stage: Stage, code: int, said: str) -> Noticed | None:
    """Return what an exit code and the words with it say of the tree, None when all tests passed."""
    if code == 0:
        return None
    if code == -signal.SIGKILL:
        return Noticed(stage.name, (LATE,), "", slow=True)
    if "ImportError while loading conftest" in said:
        return Noticed(stage.name, ("the import",), said[-2000:])
    # 3 to 5: pytest itself failed, was called wrongly, or found no tests. And a server of the tests may fail to start.
    failed_itself = not _BROKEN.search(said) if stage.simulated else code in {3, 4, 5}
    unclear = failed_itself or "ServerFailedError" in said
    failed = sorted({Path(test).name for test in _FAILED.findall(said)})
    by = ("an invariant",) if stage.simulated else tuple(failed) or (f"exit code {code}",)
    return Noticed(stage.name, by, said[-2000:], unclear=unclear, slow="+ Timeout +" in said)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
