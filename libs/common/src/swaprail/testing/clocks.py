"""A host whose clock is wrong."""

import time as real


class WrongClock:
    """In place of the module time: so many seconds ahead, and as steady as the real one."""

    def __init__(self, ahead_s: float) -> None:
        self.ahead_s = ahead_s

    def time(self) -> float:
        """Return seconds since 1970, wrongly."""
        return real.time() + self.ahead_s

    def monotonic(self) -> float:
        """Return what nobody sets."""
        return real.monotonic()
