from swaprail_router.circuit_breaker import BreakerRules, CircuitBreaker, CircuitState

RULES = BreakerRules(window_s=10, min_calls=4, failure_ratio=0.5, open_s=5, max_calls=8)


class Clock:
    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def breaker() -> tuple[CircuitBreaker, Clock]:
    clock = Clock()
    return CircuitBreaker("venue", RULES, now=clock), clock


def opened() -> tuple[CircuitBreaker, Clock]:
    made, clock = breaker()
    for _ in range(4):
        assert made.enter()
        made.failed()
    return made, clock


def test_circuit_stays_closed_when_calls_are_few_or_failures_rare() -> None:
    made, _ = breaker()
    for _ in range(3):
        made.failed()
    assert made.state is CircuitState.CLOSED
    for _ in range(5):
        made.succeeded()
    made.failed()
    made.succeeded()
    assert made.state is CircuitState.CLOSED


def test_circuit_opens_when_enough_calls_fail() -> None:
    made, _ = opened()
    assert made.state is CircuitState.OPEN
    assert not made.enter()


def test_old_failures_are_forgotten_when_the_window_has_passed() -> None:
    made, clock = breaker()
    for _ in range(3):
        made.failed()
    clock.at += 11
    made.failed()
    assert made.state is CircuitState.CLOSED


def test_old_failures_are_forgotten_when_many_calls_followed() -> None:
    made, _ = breaker()
    made.failed()
    for _ in range(8):
        made.succeeded()
    assert made._failures == 0


def test_one_probe_is_let_through_when_half_open() -> None:
    made, clock = opened()
    clock.at += 5
    assert made.state is CircuitState.HALF_OPEN
    assert [made.enter() for _ in range(3)] == [True, False, False]


def test_circuit_closes_when_the_probe_succeeds() -> None:
    made, clock = opened()
    clock.at += 5
    assert made.enter()
    made.succeeded()
    assert made.state is CircuitState.CLOSED
    assert made.enter()
    made.failed()  # a clean slate: one failure is no ratio
    assert made.state is CircuitState.CLOSED


def test_circuit_opens_again_when_the_probe_fails() -> None:
    made, clock = opened()
    clock.at += 5
    assert made.enter()
    made.failed()
    assert made.state is CircuitState.OPEN
    clock.at += 5
    assert made.enter()


def test_another_probe_is_let_through_when_the_first_was_abandoned_or_never_reported() -> None:
    made, clock = opened()
    clock.at += 5
    assert made.enter()
    made.abandoned()
    assert made.enter()
    assert not made.enter()
    clock.at += 5
    assert made.enter()


def test_late_reports_change_nothing_when_the_circuit_is_open() -> None:
    made, _ = opened()
    made.succeeded()
    made.failed()
    assert made.state is CircuitState.OPEN
