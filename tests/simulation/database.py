"""The seam of db.connect.Database: statements travel to the virtual store, and answers back, or are lost on the way."""

from collections.abc import Sequence
from random import Random
from typing import Any

from swaprail.domain.errors import EngineError, ErrorCode
from tests.simulation.clock import moment
from tests.simulation.loop import Process, VirtualLoop
from tests.simulation.statements import STATEMENTS
from tests.simulation.tables import Row, Tables
from tests.simulation.weather import Weather

MARGIN_S = 6.0  # of horizons: a tenth, as of all that takes time here

_names: dict[str, str] = {}


def name_of(sql: str) -> str:
    """Return the name that the statement is marked with."""
    name = _names.get(sql)
    if name is None:
        name = _names[sql] = sql[3 : sql.index(" */")]
    return name


class Server:
    """PostgreSQL: away for a while now and then; a statement may be committed and its answer lost."""

    def __init__(self, loop: VirtualLoop, rng: Random, weather: Weather) -> None:
        self.tables = Tables(margin_s=MARGIN_S)
        self._loop = loop
        self._rng = rng
        self._weather = weather

    async def run(self, process: Process, sql: str, args: tuple[object, ...]) -> list[Row]:
        """Run a statement of a process."""
        name, weather = name_of(sql), self._weather
        await weather.tempt(process, f"before {name}")
        reply = self._loop.create_future()
        fate = weather.statement()
        if fate == "refused":
            self._loop.outside(weather.latency(), self._fail, reply, fate, name)
        else:
            self._loop.outside(weather.latency(), self._commit, process, name, args, reply, fate)
        if fate == "late":
            self._loop.outside(weather.db_timeout_s, self._fail, reply, fate, name)
        rows: list[Row] = await reply
        await weather.tempt(process, f"after {name}")
        return rows

    def _commit(self, process: Process, name: str, args: tuple[object, ...], reply: Any, fate: str) -> None:
        if self._loop.now < self._weather.database_away_until:
            self._fail(reply, "away", name)
            return
        if fate == "late":
            self._loop.outside(self._weather.lateness(), self._apply, process, name, args, reply, fate)
            return
        if reply.cancelled() and self._rng.random() < 0.5:
            self._loop.note(f"{process.name}: {name} was withdrawn in time")
            return
        self._apply(process, name, args, reply, fate)

    def _apply(self, process: Process, name: str, args: tuple[object, ...], reply: Any, fate: str) -> None:
        try:
            rows = STATEMENTS[name](self.tables, moment(self._loop.now), *args)
        except Exception as error:  # noqa: BLE001 - what the database answers
            self._loop.note(f"{process.name}: {name} {type(error).__name__} {error}")
            self._loop.outside(self._weather.latency(), _set_exception, reply, error)
            return
        self._loop.note(f"{process.name}: {name} committed, {len(rows)} rows, {fate}")
        self._weather.note_commit(process, name)
        if fate == "lost":
            self._loop.outside(self._weather.latency(), self._fail, reply, fate, name)
        else:
            self._loop.outside(self._weather.latency(), _set_result, reply, rows)

    def _fail(self, reply: Any, why: str, name: str) -> None:
        if not reply.done():
            self._loop.note(f"{name} answered: {why}")
            _set_exception(reply, EngineError(ErrorCode.UNAVAILABLE, f"the database is away ({why})"))


def _set_result(reply: Any, rows: list[Row]) -> None:
    if not reply.done():
        reply.set_result(rows)


def _set_exception(reply: Any, error: Exception) -> None:
    if not reply.done():
        reply.set_exception(error)


class VirtualDatabase:
    """What a process has in place of its pool of connections."""

    def __init__(self, server: Server, process: Process) -> None:
        self._server = server
        self._process = process

    async def fetch(self, sql: str, *args: object) -> Sequence[Row]:
        """Run one statement in a transaction of its own and return its rows."""
        return await self._server.run(self._process, sql, args)

    async def fetchrow(self, sql: str, *args: object) -> Row | None:
        """Run one statement and return its first row, if any."""
        rows = await self.fetch(sql, *args)
        return rows[0] if rows else None

    async def fetchval(self, sql: str, *args: object) -> Any:
        """Run one statement and return the first column of its first row, if any."""
        row = await self.fetchrow(sql, *args)
        return None if row is None else next(iter(row.values()))
