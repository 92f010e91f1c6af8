"""Runs pytest in forks of a process that has imported what the tests import, save the tree's own modules.

A change of the tree costs its tests then, and not the seconds that Python and pytest take to start. The tree's own
modules are imported in the fork, as they are by then.
"""

import importlib
import json
import os
import resource
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import pytest

from swaprail_local.servers.process import dies_with_parent
from tests.forks.kept_postgres import KeptPostgres, kept_postgres

PLUGINS = ("-p", "pytest_asyncio.plugin", "-p", "pytest_timeout")
# What was changed may loop and hoard: it must not take the machine along.
MOST_MEMORY = 6 << 30


def serve(listener: socket.socket, tests: Sequence[str]) -> None:
    """Take arguments of pytest, tell the number of the process that has them, what it prints and its exit code."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    for name in _imported_by(tests):
        importlib.import_module(name)
    assert threading.active_count() == 1, "an import started threads"
    ours = [name for name in sys.modules if name.startswith("swaprail") and not name.startswith("swaprail_local")]
    assert not ours, f"imported before the fork, so not as they are by then: {ours}"
    with kept_postgres() as postgres:
        print("ready", flush=True)
        while True:
            line, _ = listener.accept()
            with line:
                _answer(line, postgres)


def _answer(line: socket.socket, postgres: KeptPostgres) -> None:
    arguments = json.loads(line.makefile().readline())
    child = _fork(line, arguments, postgres)
    line.sendall(f"{child}\n".encode())
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    line.sendall(f"\n{code}\n".encode())
    # What the tests started may hold the line still.
    line.shutdown(socket.SHUT_RDWR)


def _fork(line: socket.socket, arguments: Sequence[str], postgres: KeptPostgres) -> int:
    die_with_server = dies_with_parent(signal.SIGKILL)
    child = os.fork()
    if not child:
        os.setsid()
        if die_with_server is not None:
            die_with_server()
        for output in (1, 2):
            os.dup2(line.fileno(), output)
        _run(arguments, postgres)
    return child


def _run(arguments: Sequence[str], postgres: KeptPostgres) -> NoReturn:
    code = int(pytest.ExitCode.INTERNAL_ERROR)
    try:
        postgres.forget()
        code = int(pytest.main([*PLUGINS, *arguments], [postgres]))
    finally:
        sys.stdout.flush()
        os._exit(code)


def _imported_by(tests: Sequence[str]) -> list[str]:
    """Return what the tests import from elsewhere than the tree, in the order in which it was imported."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        pytest.main([*PLUGINS, "-qq", "--collect-only", *tests])
        names = [name for name, module in sys.modules.items() if _foreign(module)]
        with os.fdopen(writing, "w") as told:
            json.dump(names, told)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as told:
        found: list[str] = json.load(told)
    os.waitpid(child, 0)
    return found


def _foreign(module: object) -> bool:
    file = getattr(module, "__file__", None)
    return file is not None and not Path(file).is_relative_to(Path.cwd()) and hasattr(module, "__spec__")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with socket.socket(fileno=int(sys.argv[1])) as given:
        serve(given, sys.argv[2:])
