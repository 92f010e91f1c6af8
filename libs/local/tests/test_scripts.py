import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LOCKS = sorted((ROOT / "locks").glob("*.lock"))
SERVICES = sorted(folder.name for folder in (ROOT / "services").iterdir() if folder.is_dir())

UV = """#!/bin/sh
echo "$*" >>"$(dirname "$0")/calls"
[ "$1 $2" != "pip check" ] || exit "${UV_CHECK:-0}"
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with an environment, whose uv only writes down how it is called."""
    for folder in ("scripts", "locks"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for member in ("libs/common", "services/api", "clients/python"):
        (tmp_path / member).mkdir(parents=True)
        shutil.copy(ROOT / member / "pyproject.toml", tmp_path / member)
    uv = tmp_path / ".tools" / "bin" / "uv"
    uv.parent.mkdir(parents=True)
    uv.write_text(UV)
    uv.chmod(0o755)
    return tmp_path


def bootstrap(checkout: Path, **env: str) -> subprocess.CompletedProcess[str]:
    (checkout / ".venv").mkdir(exist_ok=True)
    return subprocess.run(
        [checkout / "scripts" / "bootstrap"], capture_output=True, text=True, check=False, env=os.environ | env
    )


def test_packages_come_from_the_lock_with_their_hashes_when_a_checkout_is_set_up(checkout: Path) -> None:
    done = bootstrap(checkout)
    assert done.returncode == 0, done.stderr
    calls = (checkout / ".tools" / "bin" / "calls").read_text().splitlines()
    assert "pip sync --quiet --require-hashes locks/dev.lock" in calls
    assert not [call for call in calls if call.split()[0] in ("lock", "sync")]
    editable = next(call for call in calls if "-e ./libs/common" in call)
    assert "--no-deps" in editable
    assert "--no-build-isolation" in editable


def test_setting_up_fails_and_says_why_when_the_lock_lacks_a_dependency(checkout: Path) -> None:
    refused = bootstrap(checkout, UV_CHECK="1")
    assert refused.returncode == 1
    assert "make lock" in refused.stderr
    assert not (checkout / ".venv" / ".bootstrapped").exists()


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_a_lock_has_hashes_and_names_no_registry_when_committed(lock: Path) -> None:
    text = lock.read_text()
    assert "--hash=sha256:" in text
    assert "://" not in text


def _pins(lock: Path) -> set[str]:
    return {line.split()[0] for line in lock.read_text().splitlines() if "==" in line}


def test_each_service_has_a_lock_of_the_same_versions_when_it_is_built_into_an_image() -> None:
    # What mutates sources runs apart from what it mutates, and binds none of its versions.
    assert {lock.stem for lock in LOCKS} == {*SERVICES, "dev", "build", "mutation"}
    everything = _pins(ROOT / "locks" / "dev.lock")
    bound = [lock for lock in LOCKS if lock.stem != "mutation"]
    assert not [pin for lock in bound for pin in _pins(lock) if pin not in everything]


def test_an_image_lock_holds_no_tool_of_development_when_exported() -> None:
    for service in SERVICES:
        names = {pin.partition("==")[0] for pin in _pins(ROOT / "locks" / f"{service}.lock")}
        assert "msgspec" in names
        assert not names & {"pytest", "ruff", "mypy", "uv", "kubernetes"}
