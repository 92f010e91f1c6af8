"""The order in which a mutant meets the tests."""

from pathlib import Path
from subprocess import PIPE, run
from sys import executable

from tests.tree_copy import ROOT

TESTS = """\
from pathlib import Path
def test_a(): pass
def test_b(): assert not Path("broken").exists()
def test_c(): pass
"""
COMMAND = [executable, "-m", "pytest", "-x", "-v", "-p", "tests.mutation.noticers_first", "test_some.py"]


def order_of_tests(home: Path) -> list[str]:
    """Run the tests as one mutant meets them; return their names, in order."""
    done = run(COMMAND, cwd=home, env={"PYTHONPATH": str(ROOT)}, stdout=PIPE, text=True, check=False, timeout=60)
    return [line.split("::")[1].split()[0] for line in done.stdout.splitlines() if line.startswith("test_some.py::")]


def test_what_noticed_a_mutant_runs_first_when_the_next_is_tried(tmp_path: Path) -> None:
    (tmp_path / "test_some.py").write_text(TESTS)
    (tmp_path / "broken").touch()
    assert order_of_tests(tmp_path) == ["test_a", "test_b"]
    (tmp_path / "broken").unlink()
    assert order_of_tests(tmp_path) == ["test_b", "test_a", "test_c"]
