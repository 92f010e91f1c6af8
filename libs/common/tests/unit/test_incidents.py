"""What is told of a server that is away."""

import ssl

import pytest
from structlog.testing import capture_logs

from swaprail.telemetry.causes import cause_of
from swaprail.telemetry.incidents import MOST_CAUSES, QUIET_S, Incident


class Clock:
    now = 50.0

    def __call__(self) -> float:
        return self.now


def test_one_line_begins_and_one_ends_an_incident_when_it_fails_and_works_by_turns() -> None:
    clock = Clock()
    incident = Incident("the database is away", "the database is back", clock=clock)
    with capture_logs() as lines:
        for _ in range(100):
            incident.failed(OSError("disk full"))
            clock.now += 0.1
            incident.succeeded()
        assert incident.open
        clock.now += QUIET_S
        incident.succeeded()
        incident.succeeded()
    assert [(line["event"], line.get("cause"), line.get("seconds")) for line in lines] == [
        ("the database is away", "disk full", None),
        ("the database is back", None, 20.0),
    ]


def test_each_cause_is_told_once_when_an_incident_has_several() -> None:
    incident = Incident("it is away", "it is back")
    with capture_logs() as lines:
        for number in (1, 2, 1, *range(20)):
            incident.failed(OSError(f"cause {number}"))
    assert [line["cause"] for line in lines] == [f"cause {number}" for number in (1, 2, 0, 3, 4)]
    assert len(lines) == MOST_CAUSES


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(111, "Connect call failed ('10.0.0.5', 5432)"), "[Errno 111] Connect call failed ('10.0.0.5', 5432)"),
        (TimeoutError(), "TimeoutError"),
        (RuntimeError("first\n  second"), "first second"),
        (RuntimeError("x" * 5_000), "x" * 300),
    ],
)
def test_an_error_has_its_own_words_in_one_line(error: Exception, told: str) -> None:
    assert cause_of(error) == told


def test_a_cure_is_told_when_it_is_known() -> None:
    error = ssl.SSLCertVerificationError(
        1, "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: CA cert does not include key usage extension"
    )
    assert "certificate verify failed" in cause_of(error)
    assert "keyCertSign" in cause_of(error)
