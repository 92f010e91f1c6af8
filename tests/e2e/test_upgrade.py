"""From the release before, its images, chart and schema, to the checkout's, while orders flow."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from swaprail.db.migrate import newest_revision
from tests.e2e.cluster import release
from tests.e2e.cluster.images import NEXT_TAG, PREVIOUS_TAG
from tests.e2e.cluster.names import CHART, NAMESPACE, RELEASE
from tests.e2e.cluster.shell import helm
from tests.e2e.conditions import until
from tests.e2e.traffic import Traffic

# The newest chart before this one, as `helm package` made it of its last commit.
PREVIOUS = max((Path(__file__).parent / "previous").glob("swaprail-*.tgz"))
PREVIOUS_REVISION = "0001"
# What came since, taken back.
_SINCE = (
    "drop index orders_wallet_open_idx, paper.transactions_received_at_idx, orders_waiting_age_idx",
    "alter table idempotency_keys drop column of_batch",
    "alter table api_keys drop column limits",
    "drop index tx_attempts_one_per_order_idx",
    "create unique index tx_attempts_one_per_order_idx on tx_attempts (order_id) where state in ('LIVE', 'LANDED')",
    "alter table tx_attempts drop constraint tx_attempts_proof_check, reset (fillfactor)",
    "alter table tx_attempts add constraint tx_attempts_expired_with_proof_check check (state <> 'EXPIRED' or evidence is not null)",
)


async def _execute(dsn: str, *statements: str) -> None:
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def _revision(dsn: str) -> str:
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        return str(await connection.fetchval("select version_num from alembic_version"))
    finally:
        await connection.close()


@pytest.fixture
def previous(database_dsn: str) -> Iterator[None]:
    """The release before, on the schema of its time."""
    release.uninstall()
    undo = (*_SINCE, f"update alembic_version set version_num = '{PREVIOUS_REVISION}'")
    asyncio.run(_execute(database_dsn, *undo))
    release.install("--set", f"migration.mode=none,image.tag={PREVIOUS_TAG}", chart=PREVIOUS)
    yield
    release.install()


def _chart() -> Any:
    return helm("list", "--namespace", NAMESPACE, "--filter", f"^{RELEASE}$")


@pytest.mark.usefixtures("previous")
async def test_no_request_fails_and_no_order_is_lost_when_the_chart_before_is_upgraded_under_load(
    api_key: str, database_dsn: str, judge: Callable[[Traffic], Awaitable[None]]
) -> None:
    assert PREVIOUS.stem in _chart()
    assert await _revision(database_dsn) == PREVIOUS_REVISION
    async with Traffic(api_key, rate=10) as traffic:
        await until(lambda: len(traffic.accepted) > 30, within_s=30, what="orders flow")
        await asyncio.to_thread(release.install, "--set", f"image.tag={NEXT_TAG}")
        flowed = len(traffic.accepted)
        await until(lambda: len(traffic.accepted) > flowed + 30, within_s=30, what="orders flow on")
    assert not traffic.failures, "\n".join(traffic.failures)
    assert await _revision(database_dsn) == newest_revision()
    assert PREVIOUS.stem not in _chart(), f"{CHART} has the version of the chart before"
    await judge(traffic)
