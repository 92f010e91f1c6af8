"""A planted bug."""

from pathlib import Path
from typing import NamedTuple

BUGS = Path(__file__).parent / "bugs"


class Bug(NamedTuple):
    """A patch beside this file, and the tests that pass without it and must all fail with it."""

    name: str
    harm: str
    caught_by: tuple[str, ...]
    simulated: str = ""  # the invariant that the simulation finds broken as well

    @property
    def patch(self) -> Path:
        return BUGS / f"{self.name}.patch"
