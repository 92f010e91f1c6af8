"""Programs that installations have beside the engine, from Debian's packages: unpacked here, installed nowhere."""

import fcntl
import platform
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

UNPACKED = Path(__file__).parents[2] / ".tools" / "debian"
DOWNLOAD_S = 120


class Program(NamedTuple):
    """Where a program is, and the variables that it needs to start."""

    path: Path
    environment: dict[str, str]


def program(name: str, *packages: str) -> Program:
    """Return the program as this machine has it, or unpacked from packages; skip the test where there is neither.

    Without packages: from the one of its own name, and whatever that one needs here.
    """
    installed = shutil.which(name)
    if installed is not None:
        return Program(Path(installed), {})
    home = _unpacked(name, packages)
    # What stands in bin may be a script that knows the place where the package is installed.
    (path,) = [*home.glob(f"usr/lib/{name}/{name}")] or [*home.glob(f"usr/*bin/{name}")]
    libraries = home / "usr/lib" / f"{platform.machine()}-linux-gnu"
    return Program(path, {"LD_LIBRARY_PATH": f"{libraries}:{libraries / 'pulseaudio'}"})


def library(name: str, package: str) -> Path:
    """Return a library of a package, unpacked; skip the test where it cannot be."""
    (path,) = _unpacked(package, (package,)).glob(f"usr/lib/**/{name}")
    return path


def _unpacked(name: str, packages: tuple[str, ...]) -> Path:
    if shutil.which("apt-get") is None:
        pytest.skip(f"{name} is not installed, and there is no apt-get to fetch it")
    home = UNPACKED / name
    with _alone():
        if not home.exists():
            _unpack(home, packages)
    return home


@contextmanager
def _alone() -> Iterator[None]:
    """Keep the processes that share the tests out of each other's packages."""
    UNPACKED.mkdir(parents=True, exist_ok=True)
    with (UNPACKED / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _unpack(home: Path, packages: tuple[str, ...]) -> None:
    incoming = home.with_suffix(".new")
    shutil.rmtree(incoming, ignore_errors=True)
    incoming.mkdir(parents=True)
    download = ["apt-get", "download", "--quiet", *packages] if packages else _download_all(home.name, incoming)
    if subprocess.run(download, cwd=incoming, capture_output=True, timeout=DOWNLOAD_S, check=False).returncode != 0:
        # A machine as it comes knows of no package.
        _run(incoming, "apt-get", "update", "--quiet")
        _run(incoming, *download)
    for archive in incoming.glob("*.deb"):
        _run(incoming, "dpkg-deb", "--extract", archive.name, ".")
    incoming.rename(home)


def _download_all(name: str, incoming: Path) -> list[str]:
    (incoming / "partial").mkdir()
    options = ["-o", "Debug::NoLocking=1", "-o", f"Dir::Cache::archives={incoming}", "--no-install-recommends"]
    return ["apt-get", "install", "--quiet", "--yes", "--download-only", *options, name]


def _run(home: Path, *command: str) -> None:
    done = subprocess.run(command, cwd=home, capture_output=True, text=True, timeout=DOWNLOAD_S, check=False)
    assert done.returncode == 0, f"{command[0]}: {done.stderr}"
