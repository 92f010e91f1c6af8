"""The virtual store is what the simulation believes of PostgreSQL: both are given the same statements."""

import asyncio
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, example, given, settings

from swaprail.domain.chain import AttemptState
from swaprail.domain.lifecycle import Status
from tests.simulation.both import Both
from tests.simulation.operations import (
    WRONG,
    Engine,
    age,
    become,
    move,
    place,
    read,
    renew,
    scan,
    settle,
    start,
    submit,
)
from tests.simulation.sequences import beginning, operations
from tests.simulation.statements import STATEMENTS, leases, moves

EXAMPLES = 250
# What chance would try too rarely.
QUEUED, WAITING = ("alice", True, None), ("alice", False, None)
BUILDING = (move, [(0, 0, Status.BUILDING, None, None, False)])
FIRST, SECOND = (submit, [(0, 0, 1, 0)]), (submit, [(0, 0, 2, 1)])
NO_PROOF = (settle, [(0, 0, 0, AttemptState.EXPIRED, Status.ROUTING, False, False)])
PROVEN = (settle, [(0, 0, 0, AttemptState.EXPIRED, Status.ROUTING, True, False)])
LANDED = (settle, [(0, 0, 0, AttemptState.LANDED, Status.CONFIRMED, False, False)])
LOST_LEASE, MARK = (0, 1, 0, AttemptState.LANDED, Status.CONFIRMED, False, False), AttemptState.LIVE
REFUSED_STARTS = ([WAITING, WAITING], [(start, [(0, "alice", "k1"), (1, "alice", "k1")])])
REFUSED_SETTLEMENTS = ([QUEUED], [BUILDING, FIRST, NO_PROOF, PROVEN, BUILDING, SECOND, LANDED])
TWO_LEASES = ([QUEUED], [BUILDING, FIRST, (settle, [LOST_LEASE, (0, 0, 0, MARK, Status.SUBMITTED, False, True)])])
TOLD_WRONGLY = ([QUEUED], [(move, [(0, field, Status.BUILDING, None, None, False)]) for field in WRONG])
TAKEN, ELSEWHERE = (scan, (1, [Status.ROUTING, Status.BUILDING, Status.SUBMITTED], 2.0)), (become, "other")
NOT_ITS_OWN = ([QUEUED], [(age, 3.0), TAKEN, ELSEWHERE, BUILDING, (renew, (True, [(0, 0)])), (become, "one"), BUILDING])
FAILED = (move, [(0, 0, Status.FAILED, 0.0, None, False)])
CLOSED = ([QUEUED], [FAILED, FAILED, (move, [(0, 0, Status.ROUTING, None, None, False)])])
EXPIRE = (move, [(0, 0, Status.EXPIRED, 0.0, None, False)])
EXPIRING = ([("alice", True, 5)], [EXPIRE, BUILDING, (age, 700_000.0), FIRST, EXPIRE])
TIMELY = ([("alice", True, 5)], [BUILDING, FIRST, (read, [(0, 0, "PENDING")]), (age, 700_000.0), LANDED])
WITHOUT_ROWS = {"lease_release", "purge_keys"}


class Bridge:
    """Gives random sequences of statements to both stores."""

    def __init__(self, runner: asyncio.Runner, dsn: str) -> None:
        self._runner = runner
        self.connection = runner.run(asyncpg.connect(dsn))
        self.both = Both(self.connection)

    def compare(self, examples: int) -> None:
        """Raise AssertionError with the shortest sequence that goes differently."""

        @settings(
            max_examples=examples,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(beginning, operations)
        @example(*REFUSED_STARTS)
        @example(*REFUSED_SETTLEMENTS)
        @example(*TWO_LEASES)
        @example(*TOLD_WRONGLY)
        @example(*NOT_ITS_OWN)
        @example(*CLOSED)
        @example(*EXPIRING)
        @example(*TIMELY)
        def run(begin: Any, steps: Any) -> None:
            self._runner.run(self._sequence(begin, steps))

        run()

    async def _sequence(self, begin: Any, steps: Any) -> None:
        await self.both.clear()
        engine = Engine(self.both)
        await place(engine, [(account, None, 0, execute, expiry) for account, execute, expiry in begin])
        for run, its in steps:
            try:
                await run(engine, its)
            except asyncpg.IntegrityConstraintViolationError:
                continue  # both refused it
        await self.both.compare()


@pytest.fixture
def bridge(database: str) -> Iterator[Bridge]:
    with asyncio.Runner() as runner:
        bridge = Bridge(runner, database)
        yield bridge
        runner.run(bridge.connection.close())


def test_rows_and_tables_are_the_same_when_postgresql_and_the_virtual_store_run_the_same_statements(
    bridge: Bridge, capsys: pytest.CaptureFixture[str]
) -> None:
    bridge.compare(EXAMPLES)
    with capsys.disabled():
        print(f"\nrows told: {dict(bridge.both.told)}, refused: {dict(bridge.both.refused)}")
    missed = set(STATEMENTS) - WITHOUT_ROWS - {name for name, rows in bridge.both.told.items() if rows}
    assert not missed, "these told no row in any sequence"
    assert {"submit", "settle", "start"} <= set(bridge.both.refused), "constraints were never tried"


BELIEFS = ("fence_holds", "terms_hold", "lease_is_own", "is_open", "in_time", "joins")


@pytest.mark.parametrize(("where", "bug"), [*((moves, name) for name in BELIEFS), (leases, "_is_due")])
def test_a_difference_is_found_when_the_virtual_store_believes_something_else(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch, where: ModuleType, bug: str
) -> None:
    monkeypatch.setattr(where, bug, lambda *_: bug != "_is_due")
    with pytest.raises((AssertionError, ExceptionGroup)):
        bridge.compare(EXAMPLES)
