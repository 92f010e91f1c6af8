"""What goes wrong, and when: drawn from the seed, counted, and over when the calm begins."""

import asyncio
from collections import Counter
from random import Random

from tests.simulation.loop import Process, VirtualLoop


class Weather:
    """The faults of one seed. After `clear` everything answers quickly and truly."""

    def __init__(self, loop: VirtualLoop, rng: Random) -> None:
        self._loop = loop
        self._rng = rng
        self.counts: Counter[str] = Counter()
        self.stormy = True
        self.database_away_until = 0.0
        self.redis_away_until = 0.0
        self.db_timeout_s = 1.0
        # A seed has a few kinds of fault, some of them often: all kinds at once would end in nothing but retries.
        self.statement_faults = {fate: rng.choice((0.0, 0.0, 0.01, 0.05, 0.2)) for fate in ("lost", "late", "refused")}
        self.message_faults = {fate: rng.choice((0.0, 0.0, 0.1, 0.4)) for fate in ("lost", "twice", "delayed")}
        self.forgery = rng.choice((0.0, 0.0, 0.2, 0.8))  # share of the messages of orders that are forged as well
        self.slow = rng.choice((0.0, 0.0, 0.05, 0.3))  # share of answers that take long
        self.crash_rate = rng.choice((0.0, 0.003, 0.01, 0.03))
        self.freeze_rate = rng.choice((0.0, 0.0, 0.003, 0.01))
        self.crashes_left = rng.choice((0, 1, 2, 4, 6))
        self.freezes_left = rng.choice((0, 1, 2))
        self.lease_s = 2.0
        self.wild_clocks = rng.choice((0.0, 0.0, 0.0, 0.3, 1.0))  # share of clocks that are minutes wrong

    def clear(self) -> None:
        """End all faults."""
        self.stormy = False
        self.database_away_until = self.redis_away_until = 0.0

    def latency(self) -> float:
        """Return how long something takes in the network."""
        random = self._rng.random
        if self.stormy and self.slow and random() < self.slow:
            return 0.001 + random() * 0.4
        return 0.0003 + random() * 0.003

    def skew(self) -> float:
        """Return how wrong the clock of a process is: a little, or by minutes until the calm."""
        if self.stormy and self.wild_clocks and self._rng.random() < self.wild_clocks:
            return self._rng.uniform(-300, 300)
        return self._rng.choice((0.0, 0.0, 0.05, -0.05, 0.4, -0.4))

    def lateness(self) -> float:
        """Return how long a stuck statement takes: its caller has given up before, or nearly."""
        return self.db_timeout_s * (0.9 + self._rng.random() * 2)

    def statement(self) -> str:
        """Return the fate of a statement: well, refused (not run), lost (run, no answer), late (given up, then run)."""
        return self._draw(self.statement_faults, "statement")

    def message(self) -> str:
        """Return the fate of a message: well, lost, twice, delayed."""
        return self._draw(self.message_faults, "message")

    def chance(self, share: float, kind: str) -> bool:
        """Tell whether a fault of that kind happens now; count it."""
        if not self.stormy or not share or self._rng.random() >= share:
            return False
        self.counts[kind] += 1
        return True

    async def tempt(self, process: Process, where: str) -> None:
        """Let the process die or stop here, between two effects."""
        if not self.stormy:
            return
        if self.crashes_left and self.crash_rate and self._rng.random() < self.crash_rate:
            self.crash(process, where)
            await self._loop.create_future()
        if self.freezes_left and self.freeze_rate and self._rng.random() < self.freeze_rate:
            self.stop(process, where)
            await asyncio.sleep(0)

    def crash(self, process: Process, where: str) -> None:
        """Kill the process."""
        self.crashes_left -= 1
        self.counts["crash"] += 1
        self._loop.note(f"crash of {process.name} {where}")
        self._loop.kill(process)

    def stop(self, process: Process, where: str) -> None:
        """Freeze the process, mostly for longer than a lease."""
        self.freezes_left -= 1
        self.counts["stopped process"] += 1
        self._loop.note(f"{process.name} stops {where}")
        self._loop.freeze(process, self.lease_s * (0.3 + 2 * self._rng.random()))

    def note_commit(self, process: Process, name: str) -> None:
        """Let the process die just when its statement was committed, before it knows."""
        if self.stormy and self.crashes_left and self.crash_rate and self._rng.random() < self.crash_rate / 2:
            self.crash(process, f"as {name} was committed")

    def _draw(self, faults: dict[str, float], what: str) -> str:
        if self.stormy:
            at = self._rng.random()
            for fate, share in faults.items():
                if at < share:
                    self.counts[f"{what} {fate}"] += 1
                    return fate
                at -= share
        return "well"
