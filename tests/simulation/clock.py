"""Virtual time and identifiers inside the engine's modules, and a guard against the real ones."""

import logging
import socket
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from random import Random
from typing import Any, ClassVar, NoReturn

import structlog
import uuid_utils.compat

from tests.simulation.loop import VirtualLoop

EPOCH = datetime(2030, 1, 1, tzinfo=UTC)
EPOCH_S = EPOCH.timestamp()
_UNIX = datetime(1970, 1, 1, tzinfo=UTC)


class Current:
    """The seed that is being run."""

    loop: ClassVar[VirtualLoop]
    rng: ClassVar[Random]


def moment(seconds: float) -> datetime:
    """Return a virtual time as a date."""
    return EPOCH + timedelta(seconds=seconds)


def milliseconds(at: datetime) -> int:
    """Return a time in whole milliseconds since 1970."""
    return (at - _UNIX) // timedelta(milliseconds=1)


class VirtualTime:
    """In place of the module time: each process has a clock of its own, a little wrong."""

    @staticmethod
    def time() -> float:
        return EPOCH_S + Current.loop.now + Current.loop.current.skew_s

    @staticmethod
    def monotonic() -> float:
        return Current.loop.now

    perf_counter = monotonic

    def __getattr__(self, name: str) -> NoReturn:
        raise AssertionError(f"time.{name} is not virtual")


class VirtualDatetime:
    """In place of the class datetime."""

    @staticmethod
    def now(tz: tzinfo | None = None) -> datetime:
        return datetime.fromtimestamp(VirtualTime.time(), tz)

    def __getattr__(self, name: str) -> Any:
        return getattr(datetime, name)

    def __call__(self, *args: Any, **named: Any) -> datetime:
        return datetime(*args, **named)  # noqa: DTZ001 - as the engine's module asks for it


def virtual_uuid7(*, nanoseconds: int | None = None) -> uuid.UUID:
    """Return a UUID version 7 of the seed, and of the time given or else the virtual one."""
    ms = int(VirtualTime.time() * 1000) if nanoseconds is None else nanoseconds // 1_000_000
    noise = Current.rng.getrandbits(74)
    value = ms << 80 | 7 << 76 | (noise >> 62) << 64 | 2 << 62 | noise & (1 << 62) - 1
    return uuid.UUID(int=value)


def _forbidden(*_: object, **__: object) -> NoReturn:
    raise AssertionError("real I/O, a thread or a real clock in a simulation")


def _keep_errors(_: object, __: str, event: Any) -> Any:
    detail = " ".join(str(event.get(name, "")) for name in ("event", "what", "detail", "order_id"))
    error = sys.exc_info()[1]
    Current.loop.failures.append(f"unforeseen: {detail} {type(error).__name__}: {error}")
    raise structlog.DropEvent


@contextmanager
def virtual_world() -> Iterator[None]:
    """Run what follows on virtual time: patched in every module of the engine that is imported by now."""
    patched: list[tuple[Any, str, Any]] = []

    def patch(owner: Any, name: str, value: Any) -> None:
        patched.append((owner, name, getattr(owner, name)))
        setattr(owner, name, value)

    clock, dates = VirtualTime(), VirtualDatetime()
    for name, module in list(sys.modules.items()):
        if not name.startswith("swaprail"):
            continue
        for key, value in list(vars(module).items()):
            if value is time:
                patch(module, key, clock)
            elif value is time.perf_counter:
                patch(module, key, clock.perf_counter)
            elif value is datetime:
                patch(module, key, dates)
            elif value is uuid_utils.compat.uuid7:
                patch(module, key, virtual_uuid7)
    patch(socket, "socket", _forbidden)
    patch(threading.Thread, "start", _forbidden)
    patch(time, "sleep", _forbidden)
    before = structlog.get_config()
    structlog.configure(
        processors=[_keep_errors],
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        cache_logger_on_first_use=False,
    )
    try:
        yield
    finally:
        structlog.configure(**before)
        for owner, name, value in reversed(patched):
            setattr(owner, name, value)
