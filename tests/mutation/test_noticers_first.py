"""The order in which a mutant meets the tests."""

from pathlib import Path
from subprocess import run
from sys import executable

from tests.mutation.kill import OPTIONS
from tests.tree_copy import ROOT

TESTS = """\
from pathlib import Path
import pytest

@pytest.mark.parametrize("name", "abc")
def test_one(name):
    with open("met", "a") as met:
        met.write(name)
    assert name != "b" or not Path("broken").exists()
"""
COMMAND = [executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), "--rootdir", ".", *OPTIONS, "-n0"]


def met_tests(home: Path) -> str:
    """Run the tests as one mutant meets them; return their names, in order."""
    (home / "met").write_text("")
    run([*COMMAND, "test_some.py"], cwd=home, env={"PYTHONPATH": str(ROOT)}, check=False, timeout=60)
    return (home / "met").read_text()


def test_what_noticed_a_mutant_runs_first_when_the_next_is_tried(tmp_path: Path) -> None:
    (tmp_path / "test_some.py").write_text(TESTS)
    (tmp_path / "broken").touch()
    assert met_tests(tmp_path) == "ab"
    (tmp_path / "broken").unlink()
    assert met_tests(tmp_path) == "bac"
