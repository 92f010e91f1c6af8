"""Log lines of steps."""

from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from swaprail.domain.lifecycle import Status
from swaprail.messages.topics import OrderEvent
from swaprail.telemetry.metrics import ORDER_LINES_DROPPED
from swaprail.telemetry.order_lines import LINES_PER_S, log_steps

STEP = OrderEvent(uuid4(), 3, Status.BUILDING, 0, "account", "wallet", trace=f"00-{'a' * 32}-{'b' * 16}-01")


def test_steps_are_counted_when_the_second_has_had_its_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("swaprail.telemetry.order_lines.time.monotonic", lambda: 1e6)
    dropped = ORDER_LINES_DROPPED._value.get()
    with capture_logs() as lines:
        log_steps([STEP] * (LINES_PER_S - 1))
        log_steps([STEP] * 3)
    assert len(lines) == LINES_PER_S
    assert ORDER_LINES_DROPPED._value.get() - dropped == 2
    assert lines[0] == {
        "event": "BUILDING",
        "log_level": "info",
        "order_id": str(STEP.order_id),
        "seq": 3,
        "trace_id": "a" * 32,
    }
