"""The database's time."""

import time

import pytest
from structlog.testing import capture_logs

from swaprail.clock import DatabaseClock
from swaprail.telemetry import metrics


class Host:
    """A host whose clock somebody sets."""

    def __init__(self) -> None:
        self.now, self.up = 2_000.0, 50.0

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.up


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    host = Host()
    monkeypatch.setattr("swaprail.clock.time", host)
    return host


def test_the_time_is_the_databases_whatever_becomes_of_the_hosts_clock(host: Host) -> None:
    clock = DatabaseClock()
    assert clock.time() == 2_000.0  # nothing better is known
    clock.set(2_300.0, 49.0, 51.0)
    assert clock.time() == 2_300.0
    host.up += 7
    host.now -= 3_600
    assert clock.time() == 2_307.0


def test_a_host_is_told_once_that_its_clock_is_off_until_it_is_right_again(host: Host) -> None:
    clock = DatabaseClock()
    with capture_logs() as lines:
        for database_s in (2_000.0, 1_700.0, 1_700.0, 2_001.0, 2_300.0):
            clock.set(database_s, 50.0, 50.0)
    assert [line["ahead_s"] for line in lines] == [300.0, -300.0]
    assert metrics.CLOCK_SKEW._value.get() == pytest.approx(-300.0)


def test_a_clock_of_our_own_goes_on_when_nobody_sets_it() -> None:
    clock = DatabaseClock()
    clock.set(time.time() - 300, time.monotonic(), time.monotonic())
    assert time.time() - clock.time() == pytest.approx(300, abs=1)
