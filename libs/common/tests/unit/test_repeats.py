"""Lines that repeat."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from swaprail.telemetry import repeats
from swaprail.telemetry.logging import configure_logging, get_logger
from swaprail.telemetry.repeats import MOST, WINDOW_S, Repeats


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def told(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What a service writes, with windows by that clock."""
    out = io.StringIO()
    root = logging.getLogger()
    # A library that writes by itself.
    logging.getLogger("asyncio").addHandler(logging.StreamHandler(out))
    before = root.handlers, root.level
    monkeypatch.setattr("sys.stderr", out)
    monkeypatch.setattr("swaprail.telemetry.logging.Repeats", lambda: Repeats(clock))
    configure_logging("api", "INFO", "json")
    yield out
    root.handlers, root.level = before
    structlog.reset_defaults()


def _lines(told: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in told.getvalue().splitlines()]


def test_a_few_lines_are_written_when_thousands_of_orders_meet_one_fault(told: io.StringIO, clock: Clock) -> None:
    log = get_logger("a")
    for order in range(5_000):
        log.warning("order left to its lease", order_id=str(order), detail=f"the {order}th")
        try:
            raise OSError(f"order {order}")
        except OSError:
            log.exception("pass failed as nobody foresaw", what="intake")
        logging.getLogger("asyncio").error(f"Task-{order} raised an exception")  # noqa: G004 - as FastStream does
    assert len(_lines(told)) == 3 * MOST
    clock.now += WINDOW_S
    log.warning("order left to its lease", order_id="the last")
    assert _lines(told)[-1]["left_out"] == 5_000 - MOST


def test_nothing_is_left_out_when_it_is_another_kind_or_no_trouble(told: io.StringIO, clock: Clock) -> None:
    log = get_logger("b")
    for number in range(50):
        log.info("CONFIRMED", order_id=str(number))
        log.warning("pass failed", what=f"pass {number}")
    for number in range(MOST):
        for error in (OSError, ValueError):
            try:
                raise error(f"{number}:\nanother line")
            except error:
                log.exception("order left to its lease")
    assert len(_lines(told)) == 100 + 2 * MOST


def test_memory_is_bounded_when_kinds_never_end() -> None:
    few = Repeats()
    for number in range(3 * repeats._MOST_KINDS):
        few.filter(logging.LogRecord("c", logging.ERROR, "", 0, f"text {number}", None, None))
    assert len(few._kinds) <= repeats._MOST_KINDS
