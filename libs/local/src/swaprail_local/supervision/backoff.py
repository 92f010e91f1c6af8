"""How long a process that keeps dying waits before it starts again."""

FIRST_S = 0.2
LONGEST_S = 10.0
FORGIVEN_AFTER_S = 10.0


class Backoff:
    """Doubles the wait with each early death; a process that ran for a while starts afresh."""

    def __init__(self) -> None:
        self.early_deaths = 0

    def after(self, ran_s: float) -> float:
        """Return the seconds to wait after a death."""
        if ran_s >= FORGIVEN_AFTER_S:
            self.early_deaths = 0
        wait = min(LONGEST_S, FIRST_S * 2.0**self.early_deaths)
        self.early_deaths += 1
        return wait
