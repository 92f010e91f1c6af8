"""Counters of the servers, the processes and the machine, read before and after a run."""

import asyncio
import os
from typing import Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import psutil
import redis.asyncio as redis

STATS_LATE_S = 10.5
WAL_SYNCS_IN_IO = 180_000  # since this version pg_stat_io has what pg_stat_wal had
_DATABASE = "select xact_commit, xact_rollback from pg_stat_database where datname = $1"
_WAL = "select pg_current_wal_lsn() - '0/0'::pg_lsn"
_SYNCS_IO = "select coalesce(sum(fsyncs), 0)::bigint from pg_stat_io where object = 'wal'"
_SYNCS_WAL = "select wal_sync from pg_stat_wal"


class Instant(NamedTuple):
    """Sums that are right at once. CPU in seconds, by process with all that it started."""

    redis_commands: int
    wal_bytes: int
    machine_busy_s: float
    cpu_s: dict[str, float]


class Settled(NamedTuple):
    """Sums that PostgreSQL's backends tell up to 10 s late when they are idle."""

    commits: int
    rollbacks: int
    wal_syncs: int


class Counters:
    """Reads them all. Its PostgreSQL connection is to another database, so that it counts none of its own commits."""

    def __init__(self, dsn: str, redis_url: str, pids: dict[str, int]) -> None:
        parts = urlsplit(dsn)
        self._database = parts.path.lstrip("/")
        self._dsn = urlunsplit(parts._replace(path="/postgres"))
        self._redis = redis.Redis.from_url(redis_url, single_connection_client=True, socket_timeout=5)
        self._asked_redis = 0
        self._pids = pids

    async def open(self) -> None:
        await self._redis.ping()
        self._postgres = await asyncpg.connect(self._dsn, timeout=10)

    async def close(self) -> None:
        await self._redis.aclose()
        await self._postgres.close()

    async def instant(self) -> Instant:
        self._asked_redis += 1
        info: dict[str, Any] = await self._redis.info("stats")
        commands = int(info["total_commands_processed"]) - self._asked_redis
        written = int(await self._postgres.fetchval(_WAL))
        return Instant(commands, written, machine_busy_s(), cpu_by_process(self._pids))

    async def settled(self) -> Settled:
        """Wait until nobody's numbers are late, and read them."""
        await asyncio.sleep(STATS_LATE_S)
        (row,) = await self._postgres.fetch(_DATABASE, self._database)
        version = int(await self._postgres.fetchval("show server_version_num"))
        syncs = await self._postgres.fetchval(_SYNCS_IO if version >= WAL_SYNCS_IN_IO else _SYNCS_WAL)
        return Settled(row["xact_commit"], row["xact_rollback"], int(syncs))


def cpu_by_process(pids: dict[str, int]) -> dict[str, float]:
    """Return seconds of CPU by process, with the generator of the load (this process)."""
    others = {name: sum(_cpu(process) for process in _tree(pid)) for name, pid in pids.items() if name != "supervisor"}
    own = psutil.Process().cpu_times()
    times = {"generator": own.user + own.system}
    if "supervisor" in pids:
        alone = psutil.Process(pids["supervisor"]).cpu_times()
        times["supervisor"] = alone.user + alone.system
    return others | times


def memory_by_process(pids: dict[str, int]) -> dict[str, float]:
    """Return resident MB by process; of several processes their own and shared pages, each page once."""
    return {
        name: _memory(_tree(pid)) if name != "supervisor" else _rss(psutil.Process(pid)) for name, pid in pids.items()
    }


def machine_busy_s() -> float:
    """Return the seconds that the processors used here were busy, with whatever."""
    usable = os.sched_getaffinity(0)
    times = [each for number, each in enumerate(psutil.cpu_times(percpu=True)) if number in usable]
    return sum(sum(each) - each.idle - each.iowait - each.guest - each.guest_nice for each in times)


def foreign_s(pids: dict[str, int]) -> float:
    """Return seconds in which the processors used here worked for others, from some time on."""
    return machine_busy_s() - sum(cpu_by_process(pids).values())


def _tree(pid: int) -> list[psutil.Process]:
    root = psutil.Process(pid)
    return [root, *root.children(recursive=True)]


def _cpu(process: psutil.Process) -> float:
    try:
        return float(sum(process.cpu_times()[:4]))  # its own, and of ended children
    except psutil.NoSuchProcess:
        return 0.0


def _memory(processes: list[psutil.Process]) -> float:
    if len(processes) == 1:
        return _rss(processes[0])
    total = 0
    for process in processes:
        try:
            total += process.memory_full_info().pss
        except psutil.NoSuchProcess:
            continue
    return total / 1e6


def _rss(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / 1e6
