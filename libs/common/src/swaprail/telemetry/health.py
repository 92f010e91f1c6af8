"""What works and what does not, per dependency."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from enum import Enum

import msgspec

from swaprail.domain.errors import EngineError
from swaprail.telemetry import metrics
from swaprail.telemetry.incidents import Incident

CHECK_TIMEOUT_S = 1.5
CACHE_S = 0.5


class Needed(Enum):
    """When a service is not ready because a check fails."""

    ALWAYS = "always"
    AT_FIRST = "at first"  # until it has passed once: what all replicas share makes none of them better than another
    NEVER = "never"


class CheckResult(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What one dependency said."""

    ok: bool
    required: bool
    detail: str = ""


class Report(msgspec.Struct, frozen=True, rename="camel"):
    """The state of a service; ready is false until it has started, while it stops, and when anything required fails."""

    service: str
    ready: bool
    started: bool
    draining: bool
    checks: dict[str, CheckResult]


class _Check:
    """One of the checks, and what became of it so far."""

    def __init__(self, name: str, ask: Callable[[], Awaitable[None]], needed: Needed) -> None:
        self.ask = ask
        self.needed = needed
        self.name = name
        self.incident = Incident("a health check fails", "a health check passes again")

    def passed(self) -> CheckResult:
        """Return what is reported."""
        if self.needed is Needed.AT_FIRST:
            self.needed = Needed.NEVER
        self.incident.succeeded(check=self.name)
        return CheckResult(ok=True, required=self.needed is not Needed.NEVER)

    def failed(self, error: Exception, *, told: bool) -> CheckResult:
        """Return what is reported; tell of it if the service has started, for before that nothing is to be expected."""
        if told:
            self.incident.failed(error, check=self.name)
        detail = error.detail if isinstance(error, EngineError) else type(error).__name__
        return CheckResult(ok=False, required=self.needed is not Needed.NEVER, detail=detail)


class Health:
    """The checks of one service; each incident is told once, and whenever it has another cause."""

    def __init__(self, service: str) -> None:
        self.service = service
        self.draining = False
        self.started = False
        self._checks: dict[str, _Check] = {}
        self._latest: tuple[float, Report] | None = None

    def add(self, name: str, check: Callable[[], Awaitable[None]], *, needed: Needed = Needed.ALWAYS) -> None:
        """Register a check that raises when the dependency does not work."""
        self._checks[name] = _Check(name, check, needed)

    async def report(self) -> Report:
        """Ask every dependency, at most every half second."""
        now = time.monotonic()
        if self._latest is not None and now - self._latest[0] < CACHE_S and self._still_says(self._latest[1]):
            return self._latest[1]
        names = list(self._checks)
        results = dict(zip(names, await asyncio.gather(*(self._ask(name) for name in names)), strict=True))
        failed = any(not r.ok and r.required for r in results.values())
        ready = self.started and not self.draining and not failed
        report = Report(self.service, ready, self.started, self.draining, results)
        self._latest = (now, report)
        return report

    def _still_says(self, report: Report) -> bool:
        return (report.started, report.draining) == (self.started, self.draining)

    async def _ask(self, name: str) -> CheckResult:
        check = self._checks[name]
        try:
            await asyncio.wait_for(check.ask(), CHECK_TIMEOUT_S)
        except Exception as error:  # noqa: BLE001 - any failure of a dependency is an answer here
            result = check.failed(error, told=self.started)
        else:
            result = check.passed()
        metrics.DEPENDENCY_UP.labels(name).set(result.ok)
        return result
