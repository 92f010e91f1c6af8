"""Store an order so that it is never lost, and at most once for a key."""

from uuid import UUID

from swaprail.db.writer import BatchWriter
from swaprail.domain.errors import EngineError, ErrorCode
from swaprail.domain.orders import NewOrder
from swaprail.domain.tokens import TokenList
from swaprail.telemetry.tracing import write_span
from swaprail_api.deadline import Deadline
from swaprail_api.http.requests import Caller
from swaprail_api.idempotency import order_fingerprint
from swaprail_api.metrics import DUPLICATES, SUBMITTED
from swaprail_api.schemas.orders import OrderView, accepted_view
from swaprail_api.schemas.requests import PlaceOrder
from swaprail_api.store.backlog import Backlog
from swaprail_api.store.intake import Accepted, IntakeStore, Outcome
from swaprail_api.store.intake_row import BatchKey, IntakeRow, intake_row
from swaprail_api.usecases.check_order import check_order, expiry_error

type Stored = tuple[OrderView, bool]  # the order as accepted, and whether it is a repetition

_KINDS = {True: "queued", False: "waiting"}
_COUNTED = {
    (execute, replayed): SUBMITTED.labels(kind, "replayed" if replayed else "accepted")
    for execute, kind in _KINDS.items()
    for replayed in (False, True)
}
_REPEATED = DUPLICATES.labels("http_key")


class AcceptOrder:
    """Accepts orders, one or many in one commit."""

    def __init__(
        self,
        tokens: TokenList,
        writer: BatchWriter[IntakeRow, Outcome],
        store: IntakeStore,
        backlog: Backlog,
        deadline: Deadline,
        *,
        longest_days: int,
    ) -> None:
        """longest_days: how far away an account's expiresAt may be."""
        self._tokens = tokens
        self._writer = writer
        self._store = store
        self._backlog = backlog
        self._deadline = deadline
        self._longest_days = longest_days

    async def one(self, body: PlaceOrder, caller: Caller, key: str | None, *, execute: bool) -> Stored:
        """Return the order as accepted; EngineError if it is not, and then nothing is stored."""
        order = self.check(body, caller, execute=execute)
        (outcome,) = await self.many([order], [key], caller, execute=execute)
        if isinstance(outcome, EngineError):
            raise outcome
        return outcome

    async def many(
        self,
        orders: list[NewOrder],
        keys: list[str | None],
        caller: Caller,
        *,
        execute: bool,
        batch: BatchKey | None = None,
    ) -> list[Stored | EngineError]:
        """Store orders in one commit; results in order."""
        rows = [
            intake_row(order, key, order_fingerprint(order) if key else None, batch)
            for order, key in zip(orders, keys, strict=True)
        ]
        late = {order.id: error for order in orders if (error := expiry_error(order, self._longest(caller)))}
        outcomes = await self._write([row for row in rows if row.id not in late], caller, execute=execute)
        if late:
            outcomes |= await self._repeat_late([row for row in rows if row.id in late], late)
        return [_result(order, outcomes[order.id]) for order in orders]

    def check(self, body: PlaceOrder, caller: Caller, *, execute: bool) -> NewOrder:
        """Return the order that a body describes; EngineError naming what is wrong with it."""
        return check_order(body, self._tokens, caller.principal.account, execute=execute, trace=caller.trace)

    def _longest(self, caller: Caller) -> int | None:
        return self._longest_days if caller.principal.key_id else None

    async def _write(self, rows: list[IntakeRow], caller: Caller, *, execute: bool) -> dict[UUID, Outcome]:
        if not rows:
            return {}
        try:
            async with self._backlog.take(caller.principal, len(rows), execute=execute):
                with write_span(self._writer.name):
                    outcomes = await self._deadline.wait(self._writer.submit_group(rows))
        except EngineError as error:
            # What was stored before is told, however many orders the account has since.
            if error.code is not ErrorCode.ACCOUNT_LIMIT or not all(row.key for row in rows):
                raise
            return await self._repeat_refused(rows, error)
        return {row.id: outcome for row, outcome in zip(rows, outcomes, strict=True)}

    async def _repeat_refused(self, rows: list[IntakeRow], error: EngineError) -> dict[UUID, Outcome]:
        found = await self._deadline.wait(self._store.find(rows))
        known = {row.id: outcome for row, outcome in zip(rows, found, strict=True) if outcome}
        if len(known) < len(rows):
            raise error
        return known

    async def _repeat_late(self, rows: list[IntakeRow], late: dict[UUID, EngineError]) -> dict[UUID, Outcome]:
        # A repetition is answered as the first time, even when the order's time has passed since.
        keyed = [row for row in rows if row.key]
        found = await self._deadline.wait(self._store.find(keyed)) if keyed else []
        return late | {row.id: outcome for row, outcome in zip(keyed, found, strict=True) if outcome}


def _result(order: NewOrder, outcome: Outcome) -> Stored | EngineError:
    return outcome if isinstance(outcome, EngineError) else _accepted(order, outcome)


def _accepted(order: NewOrder, accepted: Accepted) -> Stored:
    _COUNTED[order.execute, accepted.replayed].inc()
    if accepted.replayed:
        _REPEATED.inc()
    queued_at = accepted.created_at if order.execute else None
    return accepted_view(accepted.order or order, accepted.created_at, queued_at), accepted.replayed
