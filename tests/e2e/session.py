"""A page's commands, run as a reader runs them: one after the other in one shell that stops at the first that fails."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from tests.docs.pages import ROOT, commands

_MARK = "=== "


class PageError(AssertionError):
    """A command of a page failed; the message has its block and the end of what was printed."""


def run_page(page: Path, variables: Mapping[str, str], *, timeout_s: float) -> str:
    """Run every sh block of the page in the checkout; return what was printed."""
    with tempfile.NamedTemporaryFile("w", suffix=".sh") as script, tempfile.TemporaryFile("w+") as output:
        script.write(_script(page))
        script.flush()
        shell = subprocess.Popen(
            ["bash", script.name],
            env=os.environ | dict(variables),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        ending = _wait(shell, timeout_s)
        output.seek(0)
        printed = output.read()
    if ending:
        raise PageError(f"{page.name}: {ending} in {_block_of(page, printed)}\n{printed[-6000:]}")
    return printed


def _script(page: Path) -> str:
    found = commands(page)
    assert found, f"{page.name} has no command"
    marked = [f"printf '{_MARK}%s\\n' {number}\n{block.code}" for number, block in enumerate(found)]
    return "\n".join(["set -Eeuo pipefail", "trap 'echo \"failed: $BASH_COMMAND\" >&2' ERR", *marked])


def _wait(shell: subprocess.Popen[bytes], timeout_s: float) -> str:
    """Return why the shell did not end well, or nothing; what it left in the background is ended."""
    try:
        code = shell.wait(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        code = None
    with suppress(ProcessLookupError):
        os.killpg(shell.pid, signal.SIGKILL)
    shell.wait(timeout=10)
    if code is None:
        return f"still running after {timeout_s:.0f} s"
    return f"exit code {code}" if code else ""


def _block_of(page: Path, printed: str) -> str:
    marks = [line for line in printed.splitlines() if line.startswith(_MARK)]
    if not marks:
        return "its beginning"
    number = int(marks[-1].removeprefix(_MARK))
    block = commands(page)[number]
    return f"block {number + 1}, under “{block.heading}”:\n{block.code}"
