"""What a run is told on its command line."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """Options of `swaprail-local run`."""

    separate: bool = False
    reload: bool = False
    status_file: Path | None = None
