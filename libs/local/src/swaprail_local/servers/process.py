"""Processes that do not outlive their parent."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG = 1
POLL_S = 0.01

# Loaded before any fork: a child between fork and exec must not open libraries.
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


class ServerFailedError(RuntimeError):
    """A server ended or stayed silent instead of getting ready."""


def dies_with_parent(death_signal: signal.Signals) -> Callable[[], None] | None:
    """Return a preexec_fn by which Linux signals the child when this process ends, however it ends."""
    libc = _LIBC
    if libc is None:
        return None
    parent = os.getpid()

    def arm() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(death_signal))
        if os.getppid() != parent:
            os.kill(os.getpid(), death_signal)

    return arm


def spawn(
    command: Sequence[str | Path],
    *,
    output: IO[bytes] | int,
    death_signal: signal.Signals,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    user: int | None = None,
) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own, out of reach of the terminal's Ctrl-C."""
    return subprocess.Popen(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd=cwd,
        env=env,
        start_new_session=True,
        user=user,
        group=None if user is None else _group_of(user),
        extra_groups=None if user is None else [],
        preexec_fn=dies_with_parent(death_signal),  # noqa: PLW1509 - arm() only makes system calls
    )


def wait_ready(process: subprocess.Popen[bytes], ready: Callable[[], bool], log: Path, timeout_s: float) -> None:
    """Block until ready() holds.

    Raises:
        ServerFailedError: the process ended or the time is up; the message ends with its log.
    """
    deadline = time.monotonic() + timeout_s
    while not ready():
        if process.poll() is not None:
            raise ServerFailedError(f"exit code {process.returncode}: {tail(log)}")
        if time.monotonic() > deadline:
            raise ServerFailedError(f"not ready within {timeout_s:.0f} s: {tail(log)}")
        time.sleep(POLL_S)


def stop(process: subprocess.Popen[bytes], stop_signal: signal.Signals, timeout_s: float) -> None:
    """Ask the process to end; kill it when it does not."""
    if process.poll() is None:
        process.send_signal(stop_signal)
    try:
        process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def stop_orphan(pid: int, marker: str, stop_signal: signal.Signals, timeout_s: float = 20) -> bool:
    """End a process that a killed parent left behind, if its command line holds the marker."""
    if marker not in command_line(pid):
        return False
    os.kill(pid, stop_signal)
    deadline = time.monotonic() + timeout_s
    while marker in command_line(pid):
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            deadline += timeout_s
        time.sleep(POLL_S)
    return True


def command_line(pid: int) -> str:
    """Return the command line of a running process; empty when there is none."""
    if Path("/proc/self/cmdline").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    found = subprocess.run(["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, check=False)
    return found.stdout.decode(errors="replace")


def tail(log: Path, size: int = 2000) -> str:
    """Return the end of a log file."""
    try:
        return log.read_bytes()[-size:].decode(errors="replace").strip()
    except OSError:
        return "(no log)"


def _group_of(user: int) -> int:
    import pwd

    return pwd.getpwuid(user).pw_gid
