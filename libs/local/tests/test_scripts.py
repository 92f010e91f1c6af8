import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[3] / "scripts"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose uv exports one package."""
    shutil.copytree(SCRIPTS, tmp_path / "scripts")
    uv = tmp_path / ".tools" / "bin" / "uv"
    uv.parent.mkdir(parents=True)
    uv.write_text("#!/bin/sh\n[ \"$1\" = export ] && echo 'msgspec==1.0 --hash=sha256:aa' || true\n")
    uv.chmod(0o755)
    return tmp_path


def lock(checkout: Path, word: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([checkout / "scripts" / "lock", word], capture_output=True, text=True, check=False)


def test_nothing_is_installed_when_the_committed_lock_differs(checkout: Path) -> None:
    (checkout / "requirements.lock").write_text("msgspec==1.0 --hash=sha256:bb\n")
    refused = lock(checkout, "check")
    assert refused.returncode == 1
    assert "make lock" in refused.stderr


def test_the_lock_is_accepted_when_it_was_written(checkout: Path) -> None:
    assert lock(checkout, "write").returncode == 0
    assert lock(checkout, "check").returncode == 0


def test_the_committed_lock_names_no_registry() -> None:
    text = (SCRIPTS.parent / "requirements.lock").read_text()
    assert "--hash=sha256:" in text
    assert "://" not in text
