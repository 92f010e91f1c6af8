"""The patches still fit, so that `make planted` plants what it says."""

import subprocess

import pytest

from tests.planted.plan import BUGS, PLAN, Bug
from tests.tree_copy import ROOT


@pytest.mark.parametrize("bug", PLAN, ids=lambda bug: bug.name)
def test_the_patch_applies_when_the_source_is_as_it_is(bug: Bug) -> None:
    check = ["git", "apply", "--check", "--whitespace=nowarn", str(bug.patch)]
    done = subprocess.run(check, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, f"make the patch anew: {done.stderr}"


def test_every_patch_is_in_the_plan() -> None:
    assert sorted(file.stem for file in BUGS.glob("*.patch")) == [bug.name for bug in PLAN]
