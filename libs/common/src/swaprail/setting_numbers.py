"""Numbers of settings: written in digits, and such that whatever is computed from them is a number too."""

import re

# int() and float() also take 1_0, and inf.
_DIGITS = re.compile(r"\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*")
LARGEST = 2**31 - 1  # PostgreSQL's integer, and what Redis and timers take
LARGEST_SEED = 2**63 - 1
LONGEST_S = 10 * 365 * 24 * 3600  # for ever, in a way that can be reckoned with
SHORTEST_S = 0.001  # PostgreSQL counts milliseconds, and 0 of them is for ever


def check_digits(kind: object, value: object) -> object:
    """Return the value; ValueError when a number is wanted, and this text is none."""
    if kind in (int, float) and isinstance(value, str) and not _DIGITS.fullmatch(value):
        raise ValueError("a number is wanted, in digits")
    return value


def check_bounds(name: str, value: object) -> object:
    """Return the value of the setting; ValueError when it is a number so large, or a time so short, that it means none."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return value
    most = _most(name)
    if abs(value) > most:
        raise ValueError(f"{most} is the most")
    if name.endswith("_s") and 0 < value < SHORTEST_S:
        raise ValueError(f"{SHORTEST_S} is the least")
    return value


def _most(name: str) -> int:
    if name.endswith("_ms"):
        return LONGEST_S * 1000
    if name.endswith("_s") and not name.endswith("_per_s"):
        return LONGEST_S
    return LARGEST_SEED if name.endswith("_seed") else LARGEST
