"""Every kind of fault is tried with several inputs."""

import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.installations.kinds import KINDS

ROOT = Path(__file__).parents[2]
FEWEST = 3
FILES = sorted({file for files in KINDS.values() for file in files})


@cache
def _cases() -> list[str]:
    collect = [sys.executable, "-m", "pytest", "--collect-only", *FILES]
    said = subprocess.run(collect, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True).stdout
    return [line for line in said.splitlines() if "::" in line]


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_tried_with_several_inputs(kind: str) -> None:
    assert len([case for case in _cases() if case.startswith(KINDS[kind])]) >= FEWEST
