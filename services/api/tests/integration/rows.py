"""Rows as the API's statements take them."""

from uuid import uuid4

from swaprail.domain.orders import NewOrder
from swaprail_api.store.intake_row import BatchKey, IntakeRow, intake_row


def row_with(key: str, account: str = "local", batch: BatchKey | None = None) -> IntakeRow:
    """Return the row of a new order under the key, alone or of a batch."""
    order = NewOrder(uuid4(), account, "alice", "m1", "m2", "SOL", "USDC", 9, 6, 1, 50, None, None, execute=False)
    return intake_row(order, key, b"", batch)
