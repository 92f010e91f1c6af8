"""What will be done to the engine and when: made of a seed before the run."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate, takewhile
from random import Random

WORKERS = ("router", "router-2", "executor", "executor-2")
SERVICES = (*WORKERS, "api", "api-2", "notifier", "notifier-2")
LEASE_S = 2.5
PAUSE_S = 1.5 * LEASE_S  # long enough for somebody else to take over what the paused worker holds


class Kind(StrEnum):
    """What is done to a target."""

    KILL = "SIGKILL a service"
    POSTGRES = "PostgreSQL stopped at once"
    VALKEY = "SIGKILL Valkey"
    FLUSH = "FLUSHALL"
    PAUSE = "SIGSTOP a worker"


@dataclass(frozen=True)
class Fault:
    """at: seconds from the start. lasts: seconds until the target is started again, or goes on."""

    at: float
    kind: Kind
    target: str
    lasts: float

    def __str__(self) -> str:
        return f"{self.at:7.2f} s  {self.kind}: {self.target}" + (f", for {self.lasts:.2f} s" if self.lasts else "")


@dataclass(frozen=True)
class Form:
    """How long and how hard. server_every_s: least and longest time between two ends of one server."""

    orders: int
    in_flight: int
    seconds: float
    kills: int
    server_every_s: tuple[float, float]
    pause_every_s: tuple[float, float]


LONG = Form(10_000, 200, 600, 300, server_every_s=(20, 60), pause_every_s=(20, 40))
SHORT = Form(1_000, 60, 100, 40, server_every_s=(20, 45), pause_every_s=(15, 30))
KILL_EVERY_S = (1.0, 3.0)
FLUSHES = 3


def make_plan(seed: int, form: Form) -> list[Fault]:
    """Return the faults by time: at least the form's seconds and its kills."""
    kills = list(_kills(Random(f"{seed} kills"), form))
    end = kills[-1].at
    plan = [
        *kills,
        *_servers(Random(f"{seed} postgres"), form, end, Kind.POSTGRES, "PostgreSQL"),
        *_servers(Random(f"{seed} valkey"), form, end, Kind.VALKEY, "Valkey"),
        *_flushes(Random(f"{seed} flushes"), end),
        *_pauses(Random(f"{seed} pauses"), form, end),
    ]
    return sorted(plan, key=lambda fault: fault.at)


def _times(random: Random, every_s: tuple[float, float]) -> Iterator[float]:
    return accumulate(random.uniform(*every_s) for _ in iter(int, 1))


def _until(end: float, times: Iterator[float]) -> Iterator[float]:
    return takewhile(lambda at: at < end, times)


def _kills(random: Random, form: Form) -> Iterator[Fault]:
    for number, at in enumerate(_times(random, KILL_EVERY_S)):
        if number >= form.kills and at > form.seconds:
            return
        # Half of them are back at once, the others late enough for their replica to have to do without them.
        lasts = random.choice((0.0, random.uniform(0.3, LEASE_S)))
        yield Fault(at, Kind.KILL, random.choice(SERVICES), lasts)


def _servers(random: Random, form: Form, end: float, kind: Kind, name: str) -> Iterator[Fault]:
    for at in _until(end, _times(random, form.server_every_s)):
        yield Fault(at, kind, name, random.uniform(0, 1.5))


def _flushes(random: Random, end: float) -> Iterator[Fault]:
    for number in range(FLUSHES):
        yield Fault(end * (number + random.uniform(0.2, 0.8)) / FLUSHES, Kind.FLUSH, "Valkey", 0)


def _pauses(random: Random, form: Form, end: float) -> Iterator[Fault]:
    for at in _until(end, _times(random, form.pause_every_s)):
        yield Fault(at, Kind.PAUSE, random.choice(WORKERS), PAUSE_S)
