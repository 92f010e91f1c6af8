"""`swaprail-migrate` as jobs run it: as processes of their own, several at once, against servers in any state."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest

from swaprail.db.migrate import LOCK, newest_revision
from swaprail.testing.conditions import until
from swaprail_local.servers.ports import free_port
from swaprail_local.servers.postgres import EmbeddedPostgres


class Job:
    """One process of the command, and what it told."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.lines: list[dict[str, Any]] = []
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self._process.stderr is not None
        async for line in self._process.stderr:
            self.lines.append(msgspec.json.decode(line))

    @property
    def events(self) -> list[str]:
        return [line["event"] for line in self.lines]

    async def ended(self) -> int:
        code = await asyncio.wait_for(self._process.wait(), 30)
        await self._reader
        return code

    async def tells(self, event: str) -> None:
        await until(lambda: event in self.events, within_s=20, what=f"{event}: {self.lines}")


async def start(dsn: str, **settings: object) -> Job:
    env = {**os.environ, "DATABASE_URL": dsn, **{name.upper(): str(value) for name, value in settings.items()}}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "swaprail.db.migrate", env=env, stderr=asyncio.subprocess.PIPE
    )
    return Job(process)


@pytest.fixture
async def empty(postgres_server: EmbeddedPostgres) -> AsyncIterator[str]:
    """DSN of a database without a schema."""
    connection = await asyncpg.connect(postgres_server.dsn)
    await connection.execute("create database empty")
    yield postgres_server.dsn_of("empty")
    await connection.execute("drop database empty with (force)")
    await connection.close()


@pytest.fixture
async def other(empty: str) -> AsyncIterator[Any]:
    """A connection of somebody else to the empty database."""
    connection = await asyncpg.connect(empty)
    yield connection
    await connection.close()


async def test_one_migrates_and_the_others_find_it_done_when_several_jobs_start_at_once(empty: str) -> None:
    jobs = await asyncio.gather(*(start(empty) for _ in range(3)))
    assert [await job.ended() for job in jobs] == [0, 0, 0]
    told = sorted(job.events[-1] for job in jobs)
    assert told == ["migrated", "nothing to migrate", "nothing to migrate"]
    done = next(line for job in jobs for line in job.lines if line["event"] == "migrated")
    assert (done["before"], done["revision"]) == (None, newest_revision())


async def test_a_job_waits_for_its_turn_when_another_holds_the_lock(empty: str, other: Any) -> None:
    await other.execute("select pg_advisory_lock($1)", LOCK)
    job = await start(empty)
    await job.tells("another migration runs; waiting for it")
    assert await other.fetchval("select to_regclass('orders')") is None
    await other.execute("select pg_advisory_unlock($1)", LOCK)
    assert await job.ended() == 0
    assert job.events[-1] == "migrated"


async def test_a_job_fails_with_one_line_when_its_turn_does_not_come(empty: str, other: Any) -> None:
    await other.execute("select pg_advisory_lock($1)", LOCK)
    job = await start(empty, migrate_turn_s=0.2)
    assert await job.ended() == 1
    assert job.lines[-1]["reason"] == "another migration did not end within 0.2 s"


async def test_a_job_gets_out_of_the_way_and_tries_again_when_a_lock_is_held(empty: str, other: Any) -> None:
    transaction = other.transaction()
    await transaction.start()
    await other.execute("create schema paper")
    job = await start(empty, migrate_lock_timeout_s=0.1)
    await job.tells("a lock is in the way; trying again")
    await transaction.rollback()
    assert await job.ended() == 0
    assert job.events[-1] == "migrated"


async def test_a_job_fails_with_one_line_when_the_lock_is_held_for_too_long(empty: str, other: Any) -> None:
    async with other.transaction():
        await other.execute("create schema paper")
        job = await start(empty, migrate_lock_timeout_s=0.1, migrate_wait_s=0.1)
        assert await job.ended() == 1
    assert "lock timeout" in job.lines[-1]["reason"]
    assert await other.fetchval("select to_regclass('orders')") is None


async def test_a_job_waits_when_the_database_still_starts(server_home: Path) -> None:
    port = free_port()
    server = EmbeddedPostgres(server_home / "late-postgres", port, durable=False)
    job = await start(server.dsn)
    await job.tells("waiting for PostgreSQL")
    await asyncio.to_thread(server.start)
    try:
        assert await job.ended() == 0
    finally:
        await asyncio.to_thread(server.stop)
    assert job.events[-1] == "migrated"


@pytest.mark.parametrize(("missing", "reason"), [("server", "cannot be reached"), ("database", "does not exist")])
async def test_a_job_fails_with_one_line_when_there_is_no_such_database(
    postgres_server: EmbeddedPostgres, missing: str, reason: str
) -> None:
    nowhere = "postgresql://postgres@127.0.0.1:1/none"
    dsn = nowhere if missing == "server" else postgres_server.dsn_of("none")
    job = await start(dsn, migrate_wait_s=0.2)
    assert await job.ended() == 1
    assert job.events[-1] == "not migrated"
    assert reason in job.lines[-1]["reason"]


async def test_nothing_is_done_when_the_schema_is_newer_than_the_version(database: str) -> None:
    connection = await asyncpg.connect(database)
    await connection.execute("update alembic_version set version_num = '9999'")
    await connection.close()
    job = await start(database)
    assert await job.ended() == 0
    assert job.events == ["nothing to migrate"]
