"""Loops that go on when a pass fails, and what is told of it."""

import pytest
import structlog
from structlog.testing import capture_logs

from swaprail.domain.errors import EngineError, ErrorCode
from swaprail.telemetry import incidents, survival
from swaprail.telemetry.survival import survive


@pytest.fixture(autouse=True)
def nothing_failed_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survival, "_FAILING", {})
    for module in (survival, incidents):  # one that another test has used is bound to where it wrote then
        monkeypatch.setattr(module, "log", structlog.get_logger())


async def _away() -> int:
    raise EngineError(ErrorCode.UNAVAILABLE, "the database is away")


async def test_each_loop_tells_once_when_what_all_need_is_away() -> None:
    with capture_logs() as lines:
        for _ in range(60):
            for what in ("scan of due orders", "expiry of waiting orders", "purge of idempotency keys"):
                assert await survive(what, _away()) is None
    assert [(line["event"], line["what"], line["cause"]) for line in lines] == [
        ("pass failed", "scan of due orders", "the database is away"),
        ("pass failed", "expiry of waiting orders", "the database is away"),
        ("pass failed", "purge of idempotency keys", "the database is away"),
    ]


async def test_a_pass_that_nobody_foresaw_is_told_with_its_name_and_error() -> None:
    async def breaks() -> int:
        raise ZeroDivisionError

    with capture_logs() as lines:
        assert await survive("audit", breaks()) is None
    assert [(line["event"], line["what"], line["exc_info"]) for line in lines] == [
        ("pass failed as nobody foresaw", "audit", True)
    ]
