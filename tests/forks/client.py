"""The process that forks, as seen by who asks it."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from swaprail_local.servers.process import dies_with_parent

ADDRESS = "TEST_FORKS"


@contextmanager
def forks(tests: Iterable[str], copy: Path, environment: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Yield an environment in which the files of tests run in forks of one process."""
    # Apart from the copy: git knows nothing of it.
    address = copy.with_name(f"{copy.name}.socket")
    env = {**environment, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", ADDRESS: str(address)}
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(address))
        listener.listen()
        command = [sys.executable, "-m", "tests.forks", str(listener.fileno()), *dict.fromkeys(tests)]
        process = subprocess.Popen(
            command,
            cwd=copy,
            env=env,
            stdout=subprocess.PIPE,
            text=True,
            pass_fds=[listener.fileno()],
            preexec_fn=dies_with_parent(signal.SIGTERM),  # noqa: PLW1509 - only system calls
        )
    try:
        assert process.stdout is not None
        told = process.stdout.readline()
        assert told == "ready\n", f"nothing can be forked: {told}"
        yield env
    finally:
        process.terminate()
        process.wait()
        address.unlink()


def ask(address: str, arguments: Sequence[str], longest_s: float) -> tuple[int, str]:
    """Return the exit code of pytest, that of SIGKILL when it took longer, and what it printed."""
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(address)
        line.sendall(json.dumps(arguments).encode() + b"\n")
        said = line.makefile(errors="replace")
        timer = threading.Timer(longest_s, os.killpg, (int(said.readline()), signal.SIGKILL))
        timer.start()
        *lines, code = said.read().rstrip().splitlines()
        timer.cancel()
    return int(code), "\n".join(lines)
