"""One log line a step of an order, up to so many a second: readable when quiet, cheap when busy."""

import time
from uuid import UUID

from swaprail.telemetry.logging import get_logger
from swaprail.telemetry.metrics import ORDER_LINES_DROPPED

log = get_logger("swaprail.orders")

LINES_PER_S = 20


class _Budget:
    second = 0
    left = LINES_PER_S


def log_step(status: str, order_id: UUID, seq: int, trace: str | None) -> None:
    """Log a committed step with its order and trace; past the budget of this second, only count it."""
    now = int(time.monotonic())
    if now != _Budget.second:
        _Budget.second, _Budget.left = now, LINES_PER_S
    if _Budget.left <= 0:
        ORDER_LINES_DROPPED.inc()
        return
    _Budget.left -= 1
    fields = {"order_id": str(order_id), "seq": seq}
    if trace is not None:
        fields["trace_id"] = trace.split("-")[1]
    log.info(status, **fields)
