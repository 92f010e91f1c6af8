"""Slots of the paper chain, by the database's clock as this process last read it."""

import time
from collections.abc import Callable

import structlog

from swaprail.db.connect import Database
from swaprail.db.statements import named
from swaprail.domain.errors import EngineError

log = structlog.get_logger()

SLOT_MS = 400
RESYNC_S = 30.0

_OPEN = named(
    "paper_open",
    "insert into paper.chain default values on conflict (id) do nothing",
)
_READ = named(
    "paper_clock",
    """
select floor(extract(epoch from clock_timestamp() - genesis_at) * 1000)::bigint as age_ms from paper.chain
""",
)


class SlotClock:
    """Tells the slot without asking the database: its age is read now and then, the local clock adds the rest.

    Heights and slots are the same number, since the paper chain skips no slot. Quotes use this clock; whether a
    transaction lands, and whether it is final, is decided by the database's own.
    """

    def __init__(self, database: Database, *, now: Callable[[], float] = time.time) -> None:
        self._database = database
        self._now = now
        self._offset: float | None = None  # local clock less age of the chain, in seconds
        self._read_at = 0.0

    def age_ms(self) -> int:
        """Return the milliseconds since genesis; `ready` must have been called."""
        assert self._offset is not None
        return max(0, int((self._now() - self._offset) * 1000))

    def slot(self) -> int:
        """Return the current slot, which is also the block height."""
        return self.age_ms() // SLOT_MS

    def slot_in(self, ms: float) -> int:
        """Return the slot that many milliseconds from now."""
        return int(self.age_ms() + ms) // SLOT_MS

    async def ready(self) -> None:
        """Read the age of the chain the first time; correct it every half minute. Suspends only when it reads."""
        if self._offset is None:
            await self.sync()
        elif self._now() - self._read_at > RESYNC_S:
            self._read_at = self._now()  # only one caller reads
            await self._correct()

    async def _correct(self) -> None:
        try:
            await self.sync()
        except EngineError as error:
            log.warning("paper clock goes on without correction", error=error.detail)

    async def sync(self) -> None:
        """Read the age of the chain, founding it if it is new."""
        asked = self._now()
        age_ms = await self._database.fetchval(_READ)
        if age_ms is None:
            await self._database.fetch(_OPEN)
            asked = self._now()
            age_ms = await self._database.fetchval(_READ)
        answered = self._now()
        self._offset = (asked + answered) / 2 - age_ms / 1000
        self._read_at = answered
