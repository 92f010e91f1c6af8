"""Ends the process at a named point. Which one, a control file says; it is renamed when the point is reached."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Collection
from enum import StrEnum
from pathlib import Path

import msgspec

from swaprail.domain.errors import EngineError, ErrorCode

CONTROL = "FAILPOINTS_CONTROL"  # environment: path of the control file
FLUSHED_S = 0.01  # uvloop writes to sockets at the end of a turn


class Phase(StrEnum):
    """What is lost at a point."""

    BEFORE = "before"  # the process, and with it the effect
    AFTER = "after"  # the process, when the effect is done and nobody has used its result
    LOST = "lost"  # the answer alone: the effect is done, the process lives and is told that the connection broke


class Arming(msgspec.Struct, frozen=True):
    """Which passage of which point ends the process."""

    name: str
    phase: Phase
    passage: int = 1


def hit_file(control: Path) -> Path:
    """Return what the control file is called once its point was reached."""
    return control.with_suffix(".hit")


class Trigger:
    """Looks at the control file at every passage: a living process is armed by writing it."""

    def __init__(self) -> None:
        self._seen: tuple[int, int] | None = None
        self._arming: Arming | None = None
        self._passages = 0
        self._ending = False

    def reached(self, names: Collection[str], phase: Phase) -> bool:
        """Tell whether this passage is the one; each is told once."""
        control = os.environ[CONTROL]
        try:
            stat = os.stat(control)
        except FileNotFoundError:
            return False
        if self._seen != (stat.st_ino, stat.st_mtime_ns):
            self._seen = stat.st_ino, stat.st_mtime_ns
            self._arming, self._passages = msgspec.json.decode(Path(control).read_bytes(), type=Arming), 0
        arming = self._arming
        if arming is None or self._ending or arming.phase is not phase or arming.name not in names:
            return False
        self._passages += 1
        return self._passages == arming.passage

    def before(self, *names: str) -> None:
        """End the process before the effect, if that is the point."""
        if self.reached(names, Phase.BEFORE):
            die()

    def after(self, *names: str) -> None:
        """End the process after the effect, if that is the point."""
        if self.reached(names, Phase.AFTER):
            die()

    def written(self, *names: str) -> None:
        """End the process as soon as what was written to a socket has left, if that is the point."""
        if self.reached(names, Phase.AFTER):
            self._ending = True
            asyncio.get_running_loop().call_later(FLUSHED_S, die)

    def lost(self, *names: str) -> None:
        """Raise what a connection to the database raises that breaks before the answer, if that is the point."""
        if self.reached(names, Phase.LOST):
            _tell()
            raise EngineError(ErrorCode.UNAVAILABLE, "the database is away (failpoint)")

    async def around[T](self, names: Collection[str], effect: Awaitable[T]) -> T:
        """Await the effect between its two points."""
        self.before(*names)
        result = await effect
        self.after(*names)
        self.lost(*names)
        return result


def _tell() -> None:
    control = Path(os.environ[CONTROL])
    control.rename(hit_file(control))


def die() -> None:
    """Tell that the point was reached, and be gone."""
    _tell()
    os.kill(os.getpid(), signal.SIGKILL)


trigger = Trigger()
