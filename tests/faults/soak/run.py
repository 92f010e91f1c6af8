"""One soak: servers, services, traders, faults, and the judgement."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import httpx

from swaprail.db.migrate import migrate
from swaprail.testing.conditions import until
from swaprail_local.servers.postgres import EmbeddedPostgres
from swaprail_local.servers.valkey import EmbeddedValkey
from tests.evidence import Figure
from tests.faults.soak.figures import read_figures
from tests.faults.soak.plan import LEASE_S, SERVICES, Fault, Form
from tests.faults.soak.saboteur import Saboteur
from tests.faults.soak.traders import Traders
from tests.invariants import check_invariants
from tests.invariants.writers import watch_writers
from tests.system.engine import Engine

ENDED_WITHIN_S = 30.0
TELL_EVERY_S = 15.0
LEAST_TRIED_AGAIN = 0.05  # of all orders: what judges second attempts must have seen some
LOG_TAIL = 4_000_000
SETTINGS = {
    "mock_dex_quote_delay_ms": 75,  # of each venue, give or take
    "mock_dex_execution_delay_ms": 650,
    "mock_dex_failure_rate": 0.05,
    # Second and third attempts must be common, and so must their proofs: what is signed lives for four seconds.
    "mock_dex_drop_rate": 0.1,
    "paper_blockhash_blocks": 10,
    "paper_finality_slots": 2,
    "lease_s": LEASE_S,
    "order_deadline_s": 15,
}


class Soak:
    """A soak under way, and what came of it."""

    def __init__(self, seed: int, form: Form, plan: Sequence[Fault], home: Path) -> None:
        self.seed, self.form, self.plan, self.home = seed, form, plan, home
        self.broken: list[str] = []
        self.figures: dict[str, Figure] = {}

    async def run(self) -> None:
        """Do it all; what broke is in broken."""
        began = time.monotonic()
        async with _engine(self.home) as (engine, saboteur), _http(self.form) as http:
            traders = Traders(engine, http, self.seed)
            trading = asyncio.create_task(traders.trade(self.form.in_flight))
            telling = asyncio.create_task(_tell(traders, saboteur))
            await self._break(trading, traders, saboteur)
            self.figures["all ended after the last fault, s"] = await self._end(engine, trading, traders)
            telling.cancel()
            self.broken += [*traders.broken, *saboteur.died]
            await self._judge(engine, traders)
            self.figures = await read_figures(engine.dsn, traders, saboteur) | self.figures
            self._expect_second_attempts()
        self.figures["duration, s"] = round(time.monotonic() - began)

    async def _break(self, trading: asyncio.Task[None], traders: Traders, saboteur: Saboteur) -> None:
        sabotage = asyncio.create_task(saboteur.carry_out(self.plan))
        await asyncio.wait((sabotage, trading), return_when=asyncio.FIRST_COMPLETED)
        if not sabotage.done():  # then trading has failed
            sabotage.cancel()
            await trading
        await sabotage
        traders.stopping = True
        if traders.posted < self.form.orders:
            self.broken.append(f"only {traders.posted} of {self.form.orders} orders were posted: give it more minutes")

    async def _end(self, engine: Engine, trading: asyncio.Task[None], traders: Traders) -> float:
        """Return the seconds until every order has ended and whoever follows it knows."""
        began = time.monotonic()
        try:
            await asyncio.wait_for(trading, ENDED_WITHIN_S)
        except TimeoutError:
            open_ids = [s.order_id for s in traders.subscribers if not s.ended]
            self.broken.append(f"I9 {len(open_ids)} orders have not ended {ENDED_WITHIN_S} s after: {open_ids[:5]}")
        connection = await asyncpg.connect(engine.dsn)

        async def all_closed() -> bool:
            left = "select count(*) from orders where queued_at is not null and closed_at is null"
            return not await connection.fetchval(left)

        try:
            left_s = max(0.1, ENDED_WITHIN_S - (time.monotonic() - began))
            await until(all_closed, within_s=left_s, what="every order has ended", every_s=0.05)
        except AssertionError as error:
            self.broken.append(f"I9 {error}")
        finally:
            await connection.close()
        return round(time.monotonic() - began, 2)

    def _expect_second_attempts(self) -> None:
        orders, tried_again = (int(self.figures[name]) for name in ("orders", "orders of more than one attempt"))
        if tried_again < LEAST_TRIED_AGAIN * orders:
            self.broken.append(f"only {tried_again} of {orders} orders had more than one attempt: nothing was tried")

    async def _judge(self, engine: Engine, traders: Traders) -> None:
        try:
            await check_invariants(
                engine.dsn,
                traders.accepted,
                traders.subscribers,
                receipts=traders.receipts,
                redis_url=engine.redis_url,
                texts=[text[-LOG_TAIL:] for text in engine.logs()],
            )
        except AssertionError as error:
            self.broken.append(str(error))


@asynccontextmanager
async def _engine(home: Path) -> AsyncIterator[tuple[Engine, Saboteur]]:
    postgres, valkey = EmbeddedPostgres(home / "postgres"), EmbeddedValkey(home / "valkey")
    engine = Engine(postgres.dsn, valkey.url, home, **SETTINGS)
    try:
        await asyncio.to_thread(postgres.start)
        await asyncio.to_thread(valkey.start)
        await asyncio.to_thread(migrate, postgres.dsn)
        await watch_writers(engine.dsn)
        await engine.start(SERVICES)
        yield engine, Saboteur(engine, postgres, valkey)
    finally:
        for part in (engine.close, valkey.stop, postgres.stop):
            await asyncio.to_thread(part)


def _http(form: Form) -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=form.in_flight * 2, max_keepalive_connections=form.in_flight)
    return httpx.AsyncClient(timeout=10, limits=limits)


async def _tell(traders: Traders, saboteur: Saboteur) -> None:
    began = time.monotonic()
    while True:
        await asyncio.sleep(TELL_EVERY_S)
        print(
            f"{time.monotonic() - began:5.0f} s  {traders.posted} orders posted, {traders.in_flight} in flight, "
            f"{len(saboteur.done)} faults, {len(traders.broken)} broken",
            flush=True,
        )
