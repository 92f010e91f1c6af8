"""Processes of the engine that are expected to end by themselves."""

import os
import subprocess
import sys
from collections.abc import Mapping


def start(module: str, environment: Mapping[str, str], *, within_s: float = 30) -> tuple[int, str]:
    """Run a module with this environment; return its exit code and all that it told."""
    done = subprocess.run(
        [sys.executable, "-m", module],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=within_s,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr
