"""One log line a step of an order, up to so many a second: readable when quiet, cheap when busy."""

import time
from collections.abc import Sequence

from swaprail.messages.topics import OrderEvent
from swaprail.telemetry.logging import get_logger
from swaprail.telemetry.metrics import ORDER_LINES_DROPPED

log = get_logger("swaprail.orders")

LINES_PER_S = 20


class _Budget:
    second = 0
    left = LINES_PER_S


def log_steps(steps: Sequence[OrderEvent]) -> None:
    """Log committed steps, each with its order and trace; past the budget of this second, only count them."""
    now = int(time.monotonic())
    if now != _Budget.second:
        _Budget.second, _Budget.left = now, LINES_PER_S
    logged = steps[: _Budget.left]
    _Budget.left -= len(logged)
    ORDER_LINES_DROPPED.inc(len(steps) - len(logged))
    for step in logged:
        fields = {"order_id": str(step.order_id), "seq": step.seq}
        if step.trace is not None:
            fields["trace_id"] = step.trace.split("-")[1]
        log.info(step.status, **fields)
