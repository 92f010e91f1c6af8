"""What works and what does not, per dependency."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import msgspec

from swaprail.domain.errors import EngineError
from swaprail.telemetry import metrics

CHECK_TIMEOUT_S = 1.5
CACHE_S = 0.5


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


class Health:
    """The checks of one service."""

    def __init__(self, service: str) -> None:
        self.service = service
        self.draining = False
        self.started = False
        self._checks: dict[str, tuple[Callable[[], Awaitable[None]], bool]] = {}
        self._latest: tuple[float, Report] | None = None

    def add(self, name: str, check: Callable[[], Awaitable[None]], *, required: bool = True) -> None:
        """Register a check that raises when the dependency does not work."""
        self._checks[name] = (check, required)

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
        result = await self._check(*self._checks[name])
        metrics.DEPENDENCY_UP.labels(name).set(result.ok)
        return result

    async def _check(self, check: Callable[[], Awaitable[None]], required: bool) -> CheckResult:
        try:
            await asyncio.wait_for(check(), CHECK_TIMEOUT_S)
        except EngineError as error:
            return CheckResult(ok=False, required=required, detail=error.detail)
        except Exception as error:  # noqa: BLE001 - any failure of a dependency is an answer here
            return CheckResult(ok=False, required=required, detail=type(error).__name__)
        return CheckResult(ok=True, required=required)
