"""A copy of the tree, for suites that change sources: what git knows, or would, and nothing else."""

import compileall
import os
import py_compile
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]


@contextmanager
def copied_tree() -> Iterator[Path]:
    """Copy the tree; leave nothing behind."""
    home = Path(tempfile.mkdtemp(prefix="swaprail-copy-"))
    home.chmod(0o755)
    try:
        for name in files_of_tree():
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, home / name)
        subprocess.run(["git", "init", "--quiet"], cwd=home, timeout=30, check=True)
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


def compile_copy(home: Path) -> None:
    """Compile the copy, so that after a change of it only that is compiled again: files are told by their content."""
    compileall.compile_dir(home, quiet=2, invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)


def environment_of(home: Path) -> dict[str, str]:
    """Return an environment in which the copy's packages come before the installed ones, also in what it starts."""
    sources = [str(source) for source in sorted(home.glob("*/*/src"))]
    # RECORD is meant for what a command finds out, not for the suites that it runs.
    given = {name: value for name, value in os.environ.items() if name != "RECORD"}
    return {**given, "PYTHONPATH": os.pathsep.join(sources), "PYTHONDONTWRITEBYTECODE": "1"}


def files_of_tree() -> list[str]:
    """Return the files, by their names in the tree."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
