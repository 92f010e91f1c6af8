"""The fork server of tests.system, whose children have their seams wrapped."""

import socket
import subprocess
import sys
import threading
from functools import cache

from tests.faults.failpoints.armed import wrap
from tests.system.zygote import ROOT, Zygote, run


class ArmedZygote(Zygote):
    """As seen by who uses it."""

    def __init__(self) -> None:
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._asking = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.failpoints.fork_server", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            cwd=ROOT,
            start_new_session=True,
        )
        theirs.close()


@cache
def armed_zygote() -> ArmedZygote:
    """Return the fork server of this process."""
    return ArmedZygote()


if __name__ == "__main__":
    wrap()
    begin = run(socket.socket(fileno=int(sys.argv[1])))
    if begin is not None:
        begin()
