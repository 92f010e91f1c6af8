"""How a paper price moves around its anchor: smooth noise, a pure function of seed, pool and slot."""

from functools import lru_cache
from hashlib import blake2b

PPM = 1_000_000
# (slots between knots, largest deviation in ppm): a slow swing and a quick one, together at most 20 bps either way.
# Two slots can so differ by at most 40 bps, which the default slippage of 50 bps always covers.
OCTAVES = ((64, 1_400), (8, 600))


@lru_cache(maxsize=1024)
def _knot(seed: int, pool: str, period: int, number: int, amplitude: int) -> int:
    digest = blake2b(f"{seed}|{pool}|{period}|{number}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) % (2 * amplitude + 1) - amplitude


def drift_ppm(seed: int, pool: str, slot: int) -> int:
    """Return the deviation from the anchor price at the slot in millionths, within 2,000 either way."""
    total = 0
    for period, amplitude in OCTAVES:
        number, step = divmod(slot, period)
        here = _knot(seed, pool, period, number, amplitude)
        there = _knot(seed, pool, period, number + 1, amplitude)
        total += (here * (period - step) + there * step) // period
    return total
