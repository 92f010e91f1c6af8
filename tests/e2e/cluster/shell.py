"""Commands run for the suite: with a deadline, and with their output in the error when they fail."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.e2e.cluster.names import CONTEXT, ROOT


class CommandError(AssertionError):
    """A command failed; the message has what it said."""


def run(command: Sequence[str | Path], *, stdin: str | None = None, timeout_s: float = 120) -> str:
    """Run a command in the checkout and return its standard output."""
    words = [str(word) for word in command]
    done = subprocess.run(words, input=stdin, capture_output=True, text=True, timeout=timeout_s, check=False, cwd=ROOT)
    if done.returncode:
        message = f"{' '.join(words)}\nexit code {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-8000:]}"
        raise CommandError(message)
    return done.stdout


def kubectl(*words: str, stdin: str | None = None, timeout_s: float = 120) -> str:
    """Run kubectl against the cluster of the suite, whatever context the machine is at."""
    return run(["kubectl", "--context", CONTEXT, *words], stdin=stdin, timeout_s=timeout_s)


def helm(*words: str | Path, timeout_s: float = 240) -> str:
    """Run helm against the cluster of the suite."""
    return run(["helm", "--kube-context", CONTEXT, *words], timeout_s=timeout_s)
