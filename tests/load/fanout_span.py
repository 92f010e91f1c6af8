"""What a part of the fan-out took: processor time of the notifier, of its clients, and of others meanwhile."""

import time

import psutil

from tests.load.counters import machine_busy_s
from tests.load.fanout_clients import Clients, Tally
from tests.load.fanout_notifier import Notifier
from tests.load.figures import Figures


class Span:
    """Counters from here to the end of a part."""

    def __init__(self, running: Notifier, clients: Clients) -> None:
        self._running, self._clients = running, clients
        self.before: Tally = clients.tally()
        self._cpu_s = running.cpu_s()
        self._foreign_s = _foreign_s()
        self.began = time.time()

    def end(self, name: str, expected: int) -> Figures:
        """Wait for so many deliveries, and return what they took."""
        tally = self._clients.wait_for(self.before.steps + expected)
        cpu_s, seen = self._running.cpu_s() - self._cpu_s, tally.steps - self.before.steps
        seconds, foreign_s = tally.last - self.began, _foreign_s() - self._foreign_s
        return {
            f"{name}deliveries": seen,
            f"{name}deliveries_per_s": seen / seconds,
            f"{name}deliveries_per_cpu_s": seen / cpu_s,
            f"{name}notifier_cpu_percent": 100 * cpu_s / seconds,
            f"{name}clients_cpu_percent": 100 * (tally.cpu_s - self.before.cpu_s) / seconds,
            f"{name}foreign_cpu_percent": max(0.0, 100 * foreign_s / (time.time() - self.began)),
            f"{name}missing_deliveries": expected - seen,
            f"{name}lost_connections": tally.lost,
        }


def _foreign_s() -> float:
    """Return seconds in which the processors worked for others than this process and what it started."""
    own = psutil.Process()
    return machine_busy_s() - sum(_cpu_s(each) for each in (own, *own.children(recursive=True)))


def _cpu_s(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)
