"""What decides whether a service is ready, and what is told of it."""

import pytest
import structlog
from structlog.testing import capture_logs

from swaprail.domain.errors import EngineError, ErrorCode
from swaprail.telemetry import health as module
from swaprail.telemetry import incidents
from swaprail.telemetry.health import Health, Needed


class Dependency:
    def __init__(self) -> None:
        self.works = True
        self.detail = "the disk is full"

    async def check(self) -> None:
        if not self.works:
            raise EngineError(ErrorCode.UNAVAILABLE, self.detail)


@pytest.fixture(autouse=True)
def asked_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CACHE_S", 0)
    # One that another test has used is bound to where it wrote then.
    monkeypatch.setattr(incidents, "log", structlog.get_logger())


def of(dependency: Dependency, needed: Needed) -> Health:
    health = Health("api")
    health.add("database", dependency.check, needed=needed)
    health.started = True
    return health


@pytest.mark.parametrize(
    ("needed", "before", "after"), [("AT_FIRST", False, True), ("ALWAYS", False, False), ("NEVER", True, True)]
)
async def test_a_service_is_ready_as_it_needs_what_is_away(needed: str, before: bool, after: bool) -> None:
    dependency = Dependency()
    health = of(dependency, Needed[needed])
    dependency.works = False
    assert (await health.report()).ready is before
    dependency.works = True
    assert (await health.report()).ready
    dependency.works = False
    report = await health.report()
    assert report.ready is after
    assert (report.checks["database"].ok, report.checks["database"].required) == (False, not after)


async def test_a_cause_is_told_once_when_a_check_fails_again_and_again() -> None:
    dependency = Dependency()
    health = of(dependency, Needed.AT_FIRST)
    dependency.works = False
    with capture_logs() as told:
        for detail in ("the disk is full", "the disk is full", "the schema is old", "the disk is full"):
            dependency.detail = detail
            await health.report()
    assert [(line["event"], line["check"], line["cause"]) for line in told] == [
        ("a health check fails", "database", "the disk is full"),
        ("a health check fails", "database", "the schema is old"),
    ]
