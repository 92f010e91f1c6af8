"""Operations of the engine on the tables, for the comparison of the virtual store with PostgreSQL."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from swaprail.db.horizons import advance, look_below
from swaprail.db.leases import Leases, read_order
from swaprail.db.transitions import Move, write_moves
from swaprail.domain.chain import AttemptState, SignedSwap
from swaprail.domain.lifecycle import Status
from swaprail.domain.orders import LeasedOrder, NewOrder
from swaprail_api.idempotency import start_fingerprint
from swaprail_api.store.announce import Announcer
from swaprail_api.store.cancels import CancelRow, CancelStore
from swaprail_api.store.intake import IntakeStore
from swaprail_api.store.intake_row import BatchKey, IntakeRow, intake_row
from swaprail_api.store.starts import StartRow, StartStore
from swaprail_executor.attempts import Settlement, Submission, read_live, write_settlements, write_submissions
from swaprail_notifier.history import History
from swaprail_notifier.order_log import Told
from swaprail_router.housekeeping import Housekeeping
from tests.simulation.both import Both

ORDERS = 4
WORKERS = ("one", "other")

WRONG: dict[str, Any] = {
    "account": "mallory",
    "wallet": "wallet of mallory",
    "input_mint": "USDC",
    "output_mint": "USDC2",
    "input_amount": 40_000,
    "slippage_bps": 10_000,
    "min_output_amount": 1,
    "expires_at": datetime(2999, 1, 1, tzinfo=UTC),
    "queued_at": datetime(2020, 1, 1, tzinfo=UTC),
    "attempts": 9,
    "routing": msgspec.Raw(b'{"route":null}'),
}

type Seen = int | str  # leases ago, or the field that was told wrongly
type Run = Callable[["Engine", Any], Awaitable[Any]]


class Silent:
    """A publisher that nobody hears."""

    def publish(self, topic: Any, message: Any) -> None:
        """Drop it."""


class Engine:
    """The engine's stores on one database."""

    def __init__(self, both: Both) -> None:
        self.both = both
        database: Any = both
        announcer = Announcer(Silent())
        silent: Any = Silent()
        self.database = database
        self.intake = IntakeStore(database, announcer)
        self.starts = StartStore(database, announcer)
        self.cancels = CancelStore(database, announcer)
        self.housekeeping = Housekeeping(database, silent, interval_s=1, retention_days=7, longest_days=8)
        self.history = History(database)
        self.placed = 0
        self.worker = WORKERS[0]

    def leased(self, number: int, seen: Seen) -> LeasedOrder | None:
        """Return the order as whoever holds its lease sees it, held it some leases ago, or was told wrongly of it."""
        ids = sorted(self.both.tables.orders)
        if number >= len(ids):
            return None
        order = read_order(self.both.tables.orders[ids[number]])
        if isinstance(seen, int):
            return msgspec.structs.replace(order, fence=order.fence - seen)
        return msgspec.structs.replace(order, **{seen: WRONG[seen]})

    def id_of(self, number: int) -> UUID:
        """Return the id of an order, or of none."""
        ids = sorted(self.both.tables.orders)
        return ids[number] if number < len(ids) else UUID(int=number)


async def place(engine: Engine, rows: Any) -> None:
    """Store new orders."""
    new = []
    for account, key, body, execute, expires_in in rows:
        expires_at = None if expires_in is None else datetime.now(UTC) + timedelta(seconds=expires_in)
        order = _new_order(engine, account, body, expires_at, execute=execute)
        new.append(intake_row(order, key, bytes([body]) if key else None))
    await engine.intake.write(new)


async def place_batches(engine: Engine, batches: Any) -> None:
    """Store batches, as this version does or, without the key of the whole, as the one before."""
    new: list[IntakeRow] = []
    for account, key, bodies, older in batches:
        orders = [_new_order(engine, account, body, None, execute=True) for body in bodies]
        whole = None if older else BatchKey(orders[0].id, key, bytes(bodies))
        keys = [f"{key}#{number}" for number in range(len(bodies))]
        new += [intake_row(o, k, bytes([b]), whole) for o, k, b in zip(orders, keys, bodies, strict=True)]
    await engine.intake.write(new)
    if any(older for _, _, _, older in batches):
        await engine.both.forget_batches()


def _new_order(engine: Engine, account: str, body: int, expires_at: datetime | None, *, execute: bool) -> NewOrder:
    engine.placed += 1
    names = (account, f"wallet {body}", "SOL", "USDC", "SOL", "USDC", 9, 6, 1_000 + body, 50)
    return NewOrder(UUID(int=1 << 80 | engine.placed), *names, 7 if body else None, expires_at, execute=execute)


async def start(engine: Engine, rows: Any) -> None:
    """Queue stored orders."""
    asked = [(engine.id_of(number), account, key) for number, account, key in rows]
    await engine.starts.write([StartRow(i, a, k, start_fingerprint(str(i)) if k else None) for i, a, k in asked])


async def cancel(engine: Engine, rows: Any) -> None:
    """Cancel orders."""
    await engine.cancels.write([CancelRow(engine.id_of(n), account) for n, account in rows])


async def become(engine: Engine, worker: str) -> None:
    """Go on as another worker: what is leased by now is not its own."""
    engine.worker = worker


async def scan(engine: Engine, given: Any) -> None:
    """Lease due orders."""
    limit, statuses, lease_s = given
    await Leases(engine.database, engine.worker, lease_s, statuses).scan(limit)


async def renew(engine: Engine, given: Any) -> None:
    """Renew and release leases."""
    release, held = given
    pairs = [(order.id, order.fence) for n, older in held if (order := engine.leased(n, older)) is not None]
    leases = Leases(engine.database, engine.worker, 3.5, [Status.ROUTING])
    await (leases.release(pairs) if release else leases.renew(pairs))


async def move(engine: Engine, rows: Any) -> None:
    """Move orders."""
    moves = [
        Move(order, following, '{"a":1}', due_in_s=due_in, routing=text, failure=text, hand_over=hand_over)
        for number, seen, following, due_in, text, hand_over in rows
        if (order := engine.leased(number, seen)) is not None
    ]
    await write_moves(engine.database, engine.worker, _once(moves))


async def submit(engine: Engine, rows: Any) -> None:
    """Store attempts."""
    batch = []
    for number, seen, attempt, signature in rows:
        order = engine.leased(number, seen)
        if order is not None:
            swap = SignedSwap(f"signature {signature}", b"raw", b"sha", "hash", 150)
            batch.append(Submission(order, Status.SUBMITTED, attempt=attempt, swap=swap, venue="raydium"))
    await write_submissions(engine.database, engine.worker, 2.5, _once(batch))


async def settle(engine: Engine, rows: Any) -> None:
    """Settle attempts."""
    batch = []
    for number, seen, signature, state, following, proven, reconciling in rows:
        order = engine.leased(number, seen)
        if order is not None:
            landed = state is AttemptState.LANDED
            batch.append(
                Settlement(
                    order,
                    following,
                    due_in_s=None if reconciling else 0,
                    signature=f"signature {signature}",
                    state=state,
                    slot=5 if landed else None,
                    output_amount=77 if landed else None,
                    evidence='{"proof":1}' if proven else None,
                    reconciling=reconciling,
                )
            )
    await write_settlements(engine.database, engine.worker, _once(batch))


async def housekeep(engine: Engine, given: Any) -> None:
    """Expire and purge."""
    await (engine.housekeeping.purge_keys() if given else engine.housekeeping.expire_waiting())


async def look_on(engine: Engine, given: Any) -> None:
    """Move horizons on, as far as they go."""
    scan, span_s = given
    while await advance(engine.database, scan, span_s, rest_s=0):
        span_s *= 2
    await look_below(engine.database, scan, None, span_s)


async def read(engine: Engine, rows: Any) -> None:
    """Read what notifiers and executors read."""
    ids = [engine.id_of(n) for n, _, _ in rows]
    await read_live(engine.database, ids)
    await engine.history.writing()
    await engine.history.orders(ids)
    told = {engine.id_of(n): Told(engine.id_of(n), seq, status if seq else "") for n, seq, status in rows}
    await engine.history.news(list(told.values()))


async def age(engine: Engine, seconds: Any) -> None:
    """Let time pass."""
    await engine.both.age(seconds)


def _once[M: Move](moves: list[M]) -> list[M]:
    """Return one row for each lease of an order: of two, PostgreSQL takes either."""
    return list({(m.order.id, m.order.fence): m for m in moves}.values())
