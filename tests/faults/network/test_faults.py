"""The short form: a few links and toxics at a time, then a random walk over all links, in one engine's life."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.faults.network.case import Course, Outcome
from tests.faults.network.report import table
from tests.faults.network.walk import steps
from tests.faults.network.world import CLIENT_LINKS, LINKS, World, running

SEED = int(os.environ.get("SEED", "1"))
FAULT_S = 3.0  # longer than a lease
WALK_S = 15.0
DATABASE = tuple(link for link in LINKS if link.endswith("-database"))
REDIS = tuple(link for link in LINKS if link.endswith("-redis"))
WORKERS = ("router-database", "executor-database")
CASES = (
    (("api-database",), "blackhole"),
    (("api-database",), "half-open down"),
    (WORKERS, "stall"),
    (WORKERS, "half-open down"),
    (DATABASE, "refuse"),
    (REDIS, "blackhole"),
    (("notifier-database", "notifier-redis"), "half-open up"),
    (CLIENT_LINKS, "half-open down"),
    (LINKS, "reset"),
    (LINKS, "slices"),
)

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]


@pytest.fixture
async def world(database: str, redis_url: str, tmp_path: Path) -> AsyncIterator[World]:
    async with running(database, redis_url, tmp_path, SEED) as world:
        yield world


def _check(outcome: Outcome) -> None:
    told = "\n".join(outcome.broken)
    assert not outcome.broken, f"SEED={SEED}, {outcome.toxic} on {outcome.links}:\n{told}"


async def test_the_api_answers_in_time_and_every_order_ends_once_when_the_network_fails(
    world: World, subtests: pytest.Subtests
) -> None:
    outcomes = []
    for links, toxic in CASES:
        outcomes.append(await Course(world).suffer(links, toxic, fault_s=FAULT_S))
        with subtests.test(links=links, toxic=toxic):
            _check(outcomes[-1])
    outcomes.append(await Course(world).wander(SEED, WALK_S))
    print(f"\nseed {SEED}\n{table(outcomes)}")
    _check(outcomes[-1])
    assert sum(outcome.taken_over for outcome in outcomes) > 0, "no lease ever lapsed: the faults are too short"


def test_a_walk_is_the_same_when_its_seed_is() -> None:
    assert steps(3, 60) == steps(3, 60) != steps(4, 60)


def test_every_link_is_healthy_at_the_end_when_a_walk_is_over() -> None:
    last = {step.link: step for step in steps(5, 60)}
    assert len(last) > len(LINKS) // 2
    assert all(not step.toxic and step.at_s <= 60 for step in last.values())
