"""Take an order back, if it can no longer land."""

from uuid import UUID

from swaprail.db.writer import BatchWriter
from swaprail.domain.errors import EngineError
from swaprail.telemetry.tracing import write_span
from swaprail_api.deadline import Deadline
from swaprail_api.http.requests import Caller
from swaprail_api.schemas.orders import OrderView
from swaprail_api.store.cancels import CancelRow


class CancelOrder:
    """Cancels orders."""

    def __init__(self, writer: BatchWriter[CancelRow, OrderView | EngineError], deadline: Deadline) -> None:
        self._writer = writer
        self._deadline = deadline

    async def run(self, order_id: UUID, caller: Caller) -> OrderView:
        """Return the cancelled order; EngineError if it was submitted or is over."""
        row = CancelRow(order_id, caller.principal.account)
        with write_span(self._writer.name):
            outcome = await self._deadline.wait(self._writer.submit(row))
        if isinstance(outcome, EngineError):
            raise outcome
        return outcome
