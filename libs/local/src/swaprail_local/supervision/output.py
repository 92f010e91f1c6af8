"""The output of all processes on one terminal, each line marked with its process."""

import sys
import threading
from typing import IO

WIDTH = 9
COLOURS = {"swaprail": 1, "postgres": 34, "valkey": 35, "router": 36, "executor": 33, "front": 32, "api": 32}
OTHER_COLOUR = 37


class Output:
    """Lines of several writers, never mixed within a line."""

    def __init__(self, target: IO[str] | None = None) -> None:
        self._target = target or sys.stdout
        self._colour = self._target.isatty()
        self._lock = threading.Lock()
        self._open = True

    def say(self, text: str) -> None:
        """Print a message of the supervisor itself."""
        for line in text.splitlines():
            self.write("swaprail", line)

    def write(self, name: str, line: str) -> None:
        """Print one line of a process."""
        self.print(f"{self._mark(name)} {line}")

    def print(self, text: str) -> None:
        """Print text as it is, to be copied."""
        with self._lock:
            if not self._open:
                return
            try:
                self._target.write(f"{text}\n")
                self._target.flush()
            except (BrokenPipeError, ValueError):
                self._open = False  # whoever read it is gone; the processes go on

    def follow(self, name: str, pipe: IO[bytes]) -> threading.Thread:
        """Copy a process's output until it ends, in the thread returned."""
        thread = threading.Thread(target=self._copy, args=(name, pipe), name=f"output of {name}", daemon=True)
        thread.start()
        return thread

    def _copy(self, name: str, pipe: IO[bytes]) -> None:
        with pipe:
            for line in pipe:
                self.write(name, line.decode(errors="replace").rstrip())

    def _mark(self, name: str) -> str:
        mark = f"{name:<{WIDTH}}|"
        return f"\033[{COLOURS.get(name, OTHER_COLOUR)}m{mark}\033[0m" if self._colour else mark
