"""What the check of the database learns from it."""

import time
from collections.abc import AsyncIterator

import pytest

from swaprail.clock import CLOCK
from swaprail.db.connect import Database
from swaprail.db.schema import check_schema
from swaprail.domain.errors import EngineError


@pytest.fixture
async def db(database: str) -> AsyncIterator[Database]:
    db = Database(database, size=1, timeout_s=2, application="test")
    await check_schema(db)
    yield db
    await db.close()


@pytest.mark.parametrize("off_s", [-300, 300])
async def test_the_databases_time_is_learned_anew_when_the_host_has_slept_or_the_servers_clock_was_set(
    db: Database, off_s: float
) -> None:
    CLOCK.set(time.time() + off_s, time.monotonic(), time.monotonic())
    await check_schema(db)
    assert CLOCK.time() == pytest.approx(time.time(), abs=1)


async def test_a_server_is_no_good_when_nothing_can_be_written_and_no_session_says_so(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("swaprail.db.session.Session.read_only", False)  # as behind a pooler
    await db.fetch("set default_transaction_read_only = on")
    with pytest.raises(EngineError, match="read-only"):
        await check_schema(db)
