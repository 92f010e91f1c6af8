"""Our figures over the peer's."""

from tests.load.figures import Figures, medians
from tests.load.results import Columns

NAMES = ("confirmed_per_s", "cpu_ms_engine", "cpu_ms_services", "overhead_p50_ms", "overhead_p99_ms")


def ratios(columns: Columns) -> Figures:
    """Return ours over the tuned peer's, of medians."""
    ours, tuned = medians(columns["front"]), medians(columns["tuned"])
    return {name: ours[name] / tuned[name] for name in NAMES if ours.get(name) and tuned.get(name)}
