"""Who noticed a mutant, as one line of a session's output."""

import json
from typing import NamedTuple

LATE = "the time limit"


class Noticed(NamedTuple):
    """A stage and the tests of it that failed, or the time limit, and what was said.

    unclear: not the mutant may have been the reason. slow: a test, or all of them, took longer than they may.
    """

    stage: str
    by: tuple[str, ...]
    said: str
    unclear: bool = False
    slow: bool = False


def as_line(noticed: Noticed) -> str:
    """Return it as a line."""
    return json.dumps(noticed._asdict())


def of_line(line: str) -> Noticed:
    """Return what `as_line` was given; of cosmic-ray's own word, that the time was over, make the same."""
    if line.strip() == "timeout":
        return Noticed("all", (LATE,), "")
    told = json.loads(line)
    return Noticed(**told | {"by": tuple(told["by"])})
