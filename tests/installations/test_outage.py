"""PostgreSQL goes away while orders are under way: what is written of it, by each service, and what becomes of the orders."""

import asyncio
from pathlib import Path
from urllib.request import urlopen

import httpx
import pytest

from swaprail.testing.conditions import until
from tests.faults.network.proxy import Proxy
from tests.faults.network.toxics import TOXICS
from tests.faults.standby.node import DATABASE
from tests.faults.standby.pair import Pair
from tests.installations.conftest import FAST
from tests.installations.orders import assert_few, confirmed_within, lines_since, place, written
from tests.invariants import check_invariants
from tests.invariants.writers import watch_writers
from tests.system.engine import Engine

pytestmark = [pytest.mark.system, pytest.mark.timeout(150)]
ORDERS, LANDS_MS = 60, 6_000
FAILED = {"router": ("swaprail_operational_errors_total", 30), "executor": ("swaprail_chain_errors_total", 200)}


def _counted(engine: Engine, service: str, metric: str) -> float:
    with urlopen(f"http://127.0.0.1:{engine.ops_ports[service]}/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(metric))


async def _submitted(pair: Pair) -> None:
    async with pair.primary.session(DATABASE) as session:
        count = "select count(*) = $1 from orders where status = 'SUBMITTED'"
        await until(lambda: session.fetchval(count, ORDERS), within_s=20, what="all are SUBMITTED", every_s=0.05)


async def _failed_often(engine: Engine) -> None:
    before = {name: _counted(engine, name, metric) for name, (metric, _) in FAILED.items()}

    def failed() -> bool:
        return all(_counted(engine, name, metric) >= before[name] + most for name, (metric, most) in FAILED.items())

    await until(lambda: asyncio.to_thread(failed), within_s=60, what="much has failed", every_s=0.5)


@pytest.mark.parametrize("toxic", ["refuse", "blackhole"])
async def test_logs_stay_short_when_the_database_goes_while_orders_are_under_way(
    toxic: str, pair: Pair, address: Proxy, redis_url: str, tmp_path: Path
) -> None:
    dsn = f"postgresql://postgres@127.0.0.1:{address.port}/{DATABASE}"
    await watch_writers(pair.primary.dsn_of(DATABASE))
    engine = Engine(dsn, redis_url, tmp_path, **FAST | {"mock_dex_execution_delay_ms": LANDS_MS})
    try:
        await engine.start()
        async with httpx.AsyncClient(base_url=engine.url, timeout=10) as client:
            answers = await asyncio.gather(*(place(client) for _ in range(ORDERS)))
            accepted = [str(answer.json()["orderId"]) for answer in answers]
            await _submitted(pair)
            before = written(engine)
            await address.set(TOXICS[toxic])
            await _failed_often(engine)
            await address.heal()
            await asyncio.gather(*(confirmed_within(client, each, 40) for each in accepted))
            assert_few(lines_since(engine, before))
    finally:
        await asyncio.to_thread(engine.close)
    await check_invariants(dsn, accepted)
