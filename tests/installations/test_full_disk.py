"""PostgreSQL's disk is full for a while: who asks is told to come again, the logs stay short, and nothing is lost."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import httpx
import pytest

from swaprail.db.migrate import migrate
from swaprail_local.servers.postgres import EmbeddedPostgres
from tests.installations.conftest import FAST
from tests.installations.orders import accepted_within, assert_few, confirmed_within, lines_since, place, written
from tests.invariants import check_invariants
from tests.invariants.writers import watch_writers
from tests.system.engine import Engine

pytestmark = [pytest.mark.system, pytest.mark.timeout(150)]
DISK, BALLAST = 4_000_000, 3_000_000


@pytest.fixture
def disk(server_home: Path, tmp_path: Path) -> Iterator[Path]:
    """A disk of a few megabytes, most of which is taken."""
    home = server_home / f"disk-{tmp_path.name}"
    home.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", home], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("nothing can be mounted here")
    try:
        yield home
    finally:
        subprocess.run(["umount", "--lazy", home], check=True)


@pytest.fixture
async def postgres(server_home: Path, tmp_path: Path, disk: Path) -> AsyncIterator[EmbeddedPostgres]:
    """A server of its own, whose events lie on that disk."""
    server = EmbeddedPostgres(server_home / f"postgres-{tmp_path.name}")
    await asyncio.to_thread(server.start)
    try:
        await asyncio.to_thread(migrate, server.dsn)
        os.chown(disk, server.home.stat().st_uid, -1)
        connection = await asyncpg.connect(server.dsn)
        await connection.execute(f"create tablespace small location '{disk}'")
        await connection.execute("alter table order_events set tablespace small")
        await connection.close()
        yield server
    finally:
        await asyncio.to_thread(server.stop)


async def test_orders_are_refused_for_a_while_and_none_is_lost_when_the_disk_is_full(
    postgres: EmbeddedPostgres, disk: Path, redis_url: str, tmp_path: Path
) -> None:
    await watch_writers(postgres.dsn)
    engine = Engine(postgres.dsn, redis_url, tmp_path, **FAST)
    try:
        await engine.start()
        async with httpx.AsyncClient(base_url=engine.url, timeout=10) as client:
            order_id, _ = await accepted_within(client, 5)
            await confirmed_within(client, order_id, 10)
            accepted = [order_id]
            (disk / "ballast").write_bytes(bytes(BALLAST))
            before, statuses = written(engine), set[int]()
            while 503 not in statuses:
                answer = await place(client)
                statuses.add(answer.status_code)
                if answer.status_code == 202:
                    accepted.append(str(answer.json()["orderId"]))
            answers = [await place(client) for _ in range(50)]
            accepted += [str(answer.json()["orderId"]) for answer in answers if answer.status_code == 202]
            statuses |= {answer.status_code for answer in answers}
            assert statuses == {202, 503}
            assert all("retry-after" in answer.headers for answer in answers if answer.status_code == 503)
            assert not (await asyncio.to_thread(engine.health, "api"))["checks"]["database"]["ok"], (
                "it answers who reads"
            )
            assert await asyncio.to_thread(engine.is_ready, "api")
            assert_few(lines_since(engine, before))
            (disk / "ballast").unlink()
            accepted.append((await accepted_within(client, 10))[0])
            await asyncio.gather(*(confirmed_within(client, each, 40) for each in accepted))
    finally:
        await asyncio.to_thread(engine.close)
    await check_invariants(postgres.dsn, accepted)
