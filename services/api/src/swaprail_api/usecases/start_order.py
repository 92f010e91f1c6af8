"""Queue a stored order for execution; of many requests exactly one does."""

from uuid import UUID

from swaprail.db.writer import BatchWriter
from swaprail.domain.errors import EngineError
from swaprail.telemetry.tracing import write_span
from swaprail_api.deadline import Deadline
from swaprail_api.http.requests import Caller
from swaprail_api.idempotency import start_fingerprint
from swaprail_api.metrics import DUPLICATES
from swaprail_api.schemas.orders import OrderView, accepted_view
from swaprail_api.store.backlog import Backlog
from swaprail_api.store.starts import Started, StartRow

_REPEATED = DUPLICATES.labels("http_key")


class StartOrder:
    """Starts orders."""

    def __init__(
        self, writer: BatchWriter[StartRow, Started | EngineError], backlog: Backlog, deadline: Deadline
    ) -> None:
        self._writer = writer
        self._backlog = backlog
        self._deadline = deadline

    async def run(self, order_id: UUID, caller: Caller, key: str | None) -> tuple[OrderView, bool]:
        """Return the order as queued and whether this is a repetition; EngineError order_status_mismatch if it lost."""
        sha = start_fingerprint(str(order_id)) if key else None
        row = StartRow(order_id, caller.principal.account, key, sha)
        async with self._backlog.take(caller.principal, 1, execute=True):
            with write_span(self._writer.name):
                outcome = await self._deadline.wait(self._writer.submit(row))
        if isinstance(outcome, EngineError):
            raise outcome
        if outcome.replayed:
            _REPEATED.inc()
        return accepted_view(outcome.order, outcome.created_at, outcome.queued_at), outcome.replayed
