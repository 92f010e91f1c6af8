"""Starts services by forking: everything is imported once here, and a child begins where `python -m` would be by then.

Only imports happen before a fork: no event loop, thread or connection is inherited. What a module reads from the
environment while it is imported it reads here, once: start such services without forking (engine.Engine).
"""

import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import BinaryIO

from swaprail_local.servers.process import dies_with_parent

MODULES = ("swaprail_api", "swaprail_notifier", "swaprail_router", "swaprail_executor")
# What a service imports while it starts.
LATE = ("uvloop", "uvicorn.protocols.http.httptools_impl", "uvicorn.lifespan.on", "uvicorn.lifespan.off")
LONGEST = 1 << 17  # bytes of a request
ROOT = Path(__file__).parents[2]


class Forked:
    """A child of the fork server: as much of subprocess.Popen as tests use."""

    def __init__(self, pid: int, pidfd: int, end: BinaryIO) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._pidfd, self._end = pidfd, end
        self._reading = threading.Lock()

    def poll(self) -> int | None:
        return self._ended_within(0)

    def wait(self, timeout: float | None = None) -> int:
        code = self._ended_within(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            signal.pidfd_send_signal(self._pidfd, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _ended_within(self, timeout: float | None) -> int | None:
        with self._reading:
            if self.returncode is None and select.select([self._end], [], [], timeout)[0]:
                told = self._end.read()
                assert told, "the fork server is gone, and its children with it"
                self.returncode = int(told)
                self._end.close()
                os.close(self._pidfd)
            return self.returncode


class Zygote:
    """The fork server, as seen by who uses it; it ends, with all its children, when this process does."""

    def __init__(self) -> None:
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._asking = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.system.zygote", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            cwd=ROOT,
            start_new_session=True,
        )
        theirs.close()

    def spawn(self, module: str, *, env: Mapping[str, str], output: BinaryIO, cwd: Path) -> Forked:
        """Start the module's main() with its output going to the file."""
        request = json.dumps({"module": module, "env": dict(env), "cwd": str(cwd)}).encode()
        assert len(request) < LONGEST, "the environment is too large"
        end, told = os.pipe()
        try:
            with self._asking:
                socket.send_fds(self._line, [request], [output.fileno(), told])
                answer, pidfds, _, _ = socket.recv_fds(self._line, 64, 1)
        finally:
            os.close(told)
        assert pidfds, f"the fork server ended with {self._process.wait(10)}"
        return Forked(int(answer), pidfds[0], open(end, "rb"))


@cache
def zygote() -> Zygote:
    """Return the fork server of this process."""
    return Zygote()


class Server:
    """The fork server itself."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._mains: dict[str, Callable[[], None]] = {}
        self._children: dict[int, tuple[int, int]] = {}  # by pidfd: pid, where its end is told
        self._poll = select.poll()
        self._poll.register(line, select.POLLIN)

    def load(self) -> None:
        for name in LATE:
            importlib.import_module(name)
        self._mains = {name: importlib.import_module(f"{name}.__main__").main for name in MODULES}
        threads = os.listdir("/proc/self/task")
        assert len(threads) == 1, f"an import started threads: {threading.enumerate()}"
        gc.collect()
        gc.freeze()

    def serve(self) -> Callable[[], None] | None:
        """Fork when asked to. Return twice: in a child its main(), in the server None once nobody asks any more."""
        while True:
            for fd, _ in self._poll.poll():
                if fd != self._line.fileno():
                    self._reap(fd)
                    continue
                request, fds, _, _ = socket.recv_fds(self._line, LONGEST, 2)
                if not request:
                    return None
                main = self._fork(json.loads(request), *fds)
                if main is not None:
                    return main

    def _fork(self, request: dict[str, object], output: int, told: int) -> Callable[[], None] | None:
        die_with_server = dies_with_parent(signal.SIGKILL)
        pid = os.fork()
        if pid == 0:
            assert die_with_server is not None
            die_with_server()
            return self._become(request, output)
        os.close(output)
        pidfd = os.pidfd_open(pid)
        self._children[pidfd] = pid, told
        self._poll.register(pidfd, select.POLLIN)
        socket.send_fds(self._line, [str(pid).encode()], [pidfd])
        return None

    def _become(self, request: dict[str, object], output: int) -> Callable[[], None]:
        os.dup2(output, 1)
        os.dup2(output, 2)
        self._line.detach()
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        os.chdir(str(request["cwd"]))
        env, module = request["env"], str(request["module"])
        assert isinstance(env, dict)
        os.environ.clear()
        os.environ.update(env)
        sys.argv = [module]
        return self._mains[module]

    def _reap(self, pidfd: int) -> None:
        pid, told = self._children.pop(pidfd)
        _, status = os.waitpid(pid, 0)
        self._poll.unregister(pidfd)
        os.close(pidfd)
        os.write(told, str(os.waitstatus_to_exitcode(status)).encode())
        os.close(told)


def run(line: socket.socket) -> Callable[[], None] | None:
    server = Server(line)
    server.load()
    return server.serve()


if __name__ == "__main__":
    begin = run(socket.socket(fileno=int(sys.argv[1])))
    if begin is not None:
        begin()  # what it raises the interpreter treats as if it had started here
