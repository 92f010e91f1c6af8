"""Carries the plan out. A fault is counted only when it was seen: the process dead, stopped, the answer there."""

import asyncio
import signal
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psutil
import redis.asyncio as redis
from redis.exceptions import RedisError

from swaprail.testing.conditions import until
from swaprail_local.servers.postgres import EmbeddedPostgres
from swaprail_local.servers.valkey import EmbeddedValkey
from tests.faults.soak.plan import Fault, Kind
from tests.system.engine import Engine

SEEN_WITHIN_S = 10.0
WATCH_EVERY_S = 0.25


@dataclass(frozen=True)
class Done:
    """A fault that was seen to happen; times of the clock that the database has as well."""

    fault: Fault
    began: float
    ended: float


class Saboteur:
    """Breaks an engine and its servers, and starts again what it has broken."""

    def __init__(self, engine: Engine, postgres: EmbeddedPostgres, valkey: EmbeddedValkey) -> None:
        self._engine, self._postgres, self._valkey = engine, postgres, valkey
        self._busy = defaultdict[str, asyncio.Lock](asyncio.Lock)  # by target: one fault at a time
        self.done: list[Done] = []
        self.starts = 0
        self.died: list[str] = []  # what ended without being told to

    async def carry_out(self, plan: Sequence[Fault]) -> None:
        """Return when the last fault is over and everything runs again."""
        watching = asyncio.create_task(self._watch())
        began = time.monotonic()
        try:
            async with asyncio.TaskGroup() as group:
                for fault in plan:
                    await asyncio.sleep(fault.at - (time.monotonic() - began))
                    group.create_task(self._do(fault))
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def _do(self, fault: Fault) -> None:
        acts = {
            Kind.KILL: self._kill,
            Kind.PAUSE: self._pause,
            Kind.POSTGRES: self._stop_postgres,
            Kind.VALKEY: self._kill_valkey,
            Kind.FLUSH: self._flush,
        }
        async with self._busy[fault.target]:
            began = time.time()
            await acts[fault.kind](fault)
            self.done.append(Done(fault, began, time.time()))

    async def _kill(self, fault: Fault) -> None:
        self._note_death(fault.target)
        process = self._engine.processes[fault.target]
        process.send_signal(signal.SIGKILL)
        code = await asyncio.to_thread(process.wait, SEEN_WITHIN_S)
        assert code == -signal.SIGKILL, f"{fault.target} ended with {code}"
        await asyncio.sleep(fault.lasts)
        await self._start(fault.target)

    async def _pause(self, fault: Fault) -> None:
        self._note_death(fault.target)
        process = self._engine.processes[fault.target]
        process.send_signal(signal.SIGSTOP)
        try:
            await until(lambda: _is_stopped(process.pid), within_s=SEEN_WITHIN_S, what=f"{fault.target} is stopped")
            await asyncio.sleep(fault.lasts)
            assert _is_stopped(process.pid), f"{fault.target} did not stay stopped"
        finally:
            process.send_signal(signal.SIGCONT)
        await until(lambda: not _is_stopped(process.pid), within_s=SEEN_WITHIN_S, what=f"{fault.target} goes on")

    async def _stop_postgres(self, fault: Fault) -> None:
        await self._end_server(self._postgres, signal.SIGQUIT)
        await asyncio.sleep(fault.lasts)
        await asyncio.to_thread(self._postgres.start)

    async def _kill_valkey(self, fault: Fault) -> None:
        await self._end_server(self._valkey, signal.SIGKILL)
        await asyncio.sleep(fault.lasts)
        await asyncio.to_thread(self._valkey.start)

    async def _end_server(self, server: EmbeddedPostgres | EmbeddedValkey, number: int) -> None:
        assert server.process is not None
        assert server.process.poll() is None, "a server ended without being told to"
        server.process.send_signal(number)
        await asyncio.to_thread(server.process.wait, SEEN_WITHIN_S)
        assert not await asyncio.to_thread(server.ready), "a dead server answers"

    async def _flush(self, _: Fault) -> None:
        client: Any = redis.Redis.from_url(self._engine.redis_url, socket_timeout=2)

        async def flushed() -> bool:
            try:
                return bool(await client.flushall())
            except (RedisError, OSError):
                return False

        await until(flushed, within_s=SEEN_WITHIN_S, what="FLUSHALL is answered", every_s=0.1)
        await client.aclose()

    async def _start(self, name: str) -> None:
        await asyncio.to_thread(self._engine.spawn, name)
        self.starts += 1

    async def _watch(self) -> None:
        """Start again what ends by itself, as whoever runs the engine would, and remember it."""
        while True:
            await asyncio.sleep(WATCH_EVERY_S)
            for name in list(self._engine.processes):
                if self._busy[name].locked() or self._engine.processes[name].poll() is None:
                    continue
                async with self._busy[name]:
                    self._note_death(name)
                    await self._start(name)

    def _note_death(self, name: str) -> None:
        code = self._engine.processes[name].poll()
        if code is not None:
            self.died.append(f"{name} ended by itself with {code}")


def _is_stopped(pid: int) -> bool:
    return bool(psutil.Process(pid).status() == psutil.STATUS_STOPPED)
