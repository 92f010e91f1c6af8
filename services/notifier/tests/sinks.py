"""A follower that keeps what it is told."""


class Sink:
    """Keeps each frame, and has had enough after so many."""

    def __init__(self, takes: int = 1_000) -> None:
        self.frames: list[bytes] = []
        self.takes = takes
        self.paused = takes == 0
        self.restarted = 0

    def write(self, data: bytes) -> None:
        self.frames.append(data)
        self.paused = len(self.frames) >= self.takes

    def restart(self) -> None:
        self.restarted += 1
