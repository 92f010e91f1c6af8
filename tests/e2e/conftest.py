"""Fixtures over the cluster of `make e2e-up`."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import asyncpg
import httpx
import pytest

from tests.e2e.cluster import release
from tests.e2e.cluster.access import Kubernetes, dsn, make_api_key
from tests.e2e.cluster.dump import dump
from tests.e2e.cluster.names import URL
from tests.e2e.conditions import until
from tests.e2e.traffic import Traffic
from tests.invariants import check_invariants


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Write what the cluster says when something failed: before the failures, which a log cut short ends with."""
    if exitstatus not in (pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED):
        return
    with session.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        dump()


@pytest.fixture(scope="session")
def kubernetes() -> Kubernetes:
    return Kubernetes()


@pytest.fixture(scope="session")
def database_dsn(kubernetes: Kubernetes) -> str:
    return dsn(kubernetes)


@pytest.fixture(scope="session")
def api_key() -> str:
    return make_api_key("end-to-end")


@pytest.fixture
async def http(api_key: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the API, through the ingress."""
    headers = {"Authorization": f"Bearer {api_key}"}
    async with httpx.AsyncClient(base_url=URL, headers=headers, timeout=10) as client:
        yield client


@pytest.fixture
def changed() -> Iterator[Callable[..., str]]:
    """Upgrade the release with options; afterwards it is brought back to the suite's values."""
    yield release.install
    # An autoscaler that is gone still owns the number of replicas, which the release now sets.
    release.install("--force-conflicts")


@pytest.fixture
def judge(database_dsn: str) -> Callable[[Traffic], Awaitable[None]]:
    """Check every invariant of the engine, by the chain's ledger, once nothing is open any more."""

    async def check(traffic: Traffic) -> None:
        await until(nothing_open, within_s=60, what="every order has ended")
        await check_invariants(database_dsn, traffic.accepted, traffic.subscribers)

    async def nothing_open() -> bool:
        connection = await asyncpg.connect(database_dsn, timeout=10)
        try:
            found = await connection.fetchval(
                "select count(*) from orders where queued_at is not null and closed_at is null"
            )
        finally:
            await connection.close()
        return bool(found == 0)

    return check
