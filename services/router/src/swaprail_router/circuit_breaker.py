"""A circuit breaker: stops asking a venue that keeps failing, and lets one probe through now and then."""

import time
from collections import deque
from collections.abc import Callable
from enum import StrEnum

import msgspec
import structlog

log = structlog.get_logger()


class CircuitState(StrEnum):
    """CLOSED: asked as usual. OPEN: not asked. HALF_OPEN: one probe decides."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class BreakerRules(msgspec.Struct, frozen=True):
    """Opens when, of at least min_calls calls in the last window_s seconds, failure_ratio failed; probes after open_s."""

    window_s: float = 10.0
    min_calls: int = 20
    failure_ratio: float = 0.5
    open_s: float = 5.0
    max_calls: int = 256  # remembered; older ones are forgotten even inside the window


class CircuitBreaker:
    """The breaker of one venue. Whoever is let through by `enter` must report `succeeded`, `failed` or `abandoned`."""

    def __init__(self, venue: str, rules: BreakerRules, *, now: Callable[[], float] = time.monotonic) -> None:
        self.venue = venue
        self._rules = rules
        self._now = now
        self._calls: deque[tuple[float, bool]] = deque()
        self._failures = 0
        self._opened_at: float | None = None
        self._probe_at: float | None = None

    @property
    def state(self) -> CircuitState:
        """The state now."""
        if self._opened_at is None:
            return CircuitState.CLOSED
        waited = self._now() - self._opened_at >= self._rules.open_s
        return CircuitState.HALF_OPEN if waited else CircuitState.OPEN

    def enter(self) -> bool:
        """Return whether the venue may be asked; while half-open only one caller is told so."""
        if self._opened_at is None:
            return True
        if self.state is CircuitState.OPEN or self._is_probing():
            return False
        self._probe_at = self._now()
        return True

    def succeeded(self) -> None:
        """Note that the venue answered, with a quote or with a reasoned refusal."""
        if self._opened_at is None:
            self._note(failed=False)
        elif self._probe_at is not None:
            self._opened_at = self._probe_at = None
            log.info("venue answers again, circuit closed", venue=self.venue)

    def failed(self) -> None:
        """Note that the venue failed or was late."""
        if self._opened_at is None:
            self._note(failed=True)
            self._open_if_failing()
        elif self._probe_at is not None:
            self._opened_at, self._probe_at = self._now(), None

    def abandoned(self) -> None:
        """Note that the venue was never heard, through no fault of its own."""
        self._probe_at = None

    def _is_probing(self) -> bool:
        # A probe that never reported must not keep the venue out for ever.
        return self._probe_at is not None and self._now() - self._probe_at < self._rules.open_s

    def _note(self, *, failed: bool) -> None:
        now = self._now()
        self._calls.append((now, failed))
        self._failures += failed
        while len(self._calls) > self._rules.max_calls or self._calls[0][0] < now - self._rules.window_s:
            self._failures -= self._calls.popleft()[1]

    def _open_if_failing(self) -> None:
        calls = len(self._calls)
        if calls < self._rules.min_calls or self._failures < calls * self._rules.failure_ratio:
            return
        log.warning("venue keeps failing, circuit opened", venue=self.venue, failures=self._failures, calls=calls)
        self._opened_at = self._now()
        self._calls.clear()
        self._failures = 0
