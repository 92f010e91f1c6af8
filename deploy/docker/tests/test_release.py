"""What is released is built on the pinned base image, of packages that were audited."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FILES = ("scripts/images", "scripts/audit", "deploy/docker/Dockerfile", "libs/common/pyproject.toml", "locks/dev.lock")
# docker says what it is asked for, and has nothing but what it is told it can pull.
_DOCKER = """#!/bin/sh
echo "docker $*" >>"$ASKED"
case "$1" in image) exit 1 ;; pull) exit "$PULLED" ;; esac
"""
# pip-audit ends with 1 where it cannot tell, and where it has found something: that it says.
_AUDIT = """#!/bin/sh
case "$*" in *json*) [ -z "${FOUND:-}" ] || echo '{"dependencies": [{"name": "msgspec", "vulns": [{"id": "X-1"}]}]}' ;; esac
exit "$AUDITED"
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The scripts with what they read, beside a docker and a pip-audit that do nothing."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    for name, text in {"bin/docker": _DOCKER, ".venv/bin/pip-audit": _AUDIT}.items():
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    return tmp_path


def build(checkout: Path, *, release: bool, pulled: bool, audited: bool) -> tuple[int, str, list[str]]:
    """Return the exit code, what was said, and the base images of the builds."""
    said = {"ASKED": str(checkout / "asked"), "PULLED": str(int(not pulled)), "AUDITED": str(int(not audited))}
    path = f"{checkout / 'bin'}:{os.environ['PATH']}"
    done = subprocess.run(
        [checkout / "scripts/images"],
        env=said | {"PATH": path} | ({"RELEASE": "1"} if release else {}),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    asked = (checkout / "asked").read_text() if (checkout / "asked").exists() else ""
    return done.returncode, done.stderr, re.findall(r"PYTHON=(\S+)", asked)


def test_the_base_image_is_pinned_by_digest() -> None:
    (base,) = re.findall(r"^ARG PYTHON=(.*)$", (ROOT / "deploy/docker/Dockerfile").read_text(), re.MULTILINE)
    assert re.fullmatch(r"python:3\.\d+-slim@sha256:[0-9a-f]{64}", base)


@pytest.mark.parametrize("release", [False, True])
def test_images_are_built_on_the_pinned_base_when_it_can_be_had(checkout: Path, release: bool) -> None:
    code, _, bases = build(checkout, release=release, pulled=True, audited=True)
    assert (code, len(bases)) == (0, 4)
    assert all("@sha256:" in base for base in bases)


def test_images_are_built_on_what_is_here_when_it_cannot_be_had_and_nothing_is_released(checkout: Path) -> None:
    code, said, bases = build(checkout, release=False, pulled=False, audited=False)
    assert (code, set(bases)) == (0, {"python:3.13-slim"})
    assert "AS IT IS HERE" in said


@pytest.mark.parametrize(("pulled", "audited", "word"), [(False, True, "not to be had"), (True, False, "NOTHING WAS")])
def test_nothing_is_released_when_the_base_is_missing_or_nothing_was_audited(
    checkout: Path, pulled: bool, audited: bool, word: str
) -> None:
    code, said, bases = build(checkout, release=True, pulled=pulled, audited=audited)
    assert (code, bases) == (1, [])
    assert word in said


@pytest.mark.parametrize(
    ("found", "code", "said"),
    [(False, 0, True), (True, 1, False)],
    ids=["no data", "a weakness of what is asked first"],
)
def test_an_audit_passes_outside_releases_when_there_is_no_data_and_fails_when_there_is_a_weakness(
    checkout: Path, found: bool, code: int, said: bool
) -> None:
    done = subprocess.run(
        [checkout / "scripts/audit"],
        env={"AUDITED": "1", "PATH": os.environ["PATH"], "FOUND": "yes" if found else ""},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, "NOTHING WAS AUDITED" in done.stderr) == (code, said)
