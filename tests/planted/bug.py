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
        """The file that plants it."""
        return BUGS / f"{self.name}.patch"

    @property
    def in_migrations(self) -> bool:
        """Tell whether it shows only in a database that was migrated with it."""
        return "/migrations/" in self.patch.read_text(encoding="utf-8")
