"""One file for each suite: its figures, when, at which commit and on how many processors."""

import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "evidence"

type Figure = int | float | str


class Record(msgspec.Struct, frozen=True):
    """What one run of a suite showed. tables: rows of equal columns by the title of each table."""

    name: str
    title: str
    command: str
    date: str
    commit: str
    processors: int
    python: str
    figures: dict[str, Figure]
    tables: dict[str, list[dict[str, Figure]]] = {}


def record(
    name: str,
    *,
    title: str,
    command: str,
    figures: Mapping[str, Figure],
    tables: Mapping[str, Sequence[Mapping[str, Figure]]] | None = None,
) -> Path:
    """Keep the figures of a run that has passed, and render the page; return the file. Times in the figures name units."""
    from tests.evidence.render import PAGE, guarantees_page

    kept = Record(
        name=name,
        title=title,
        command=command,
        date=datetime.now(UTC).date().isoformat(),
        commit=measured_commit(),
        processors=len(os.sched_getaffinity(0)),
        python=platform.python_version(),
        figures=dict(figures),
        tables={key: [dict(row) for row in rows] for key, rows in (tables or {}).items()},
    )
    FOLDER.mkdir(parents=True, exist_ok=True)
    file = FOLDER / f"{name}.json"
    file.write_bytes(msgspec.json.format(msgspec.json.encode(kept), indent=2) + b"\n")
    PAGE.write_text(guarantees_page(load_records()))
    return file


def load_records(folder: Path = FOLDER) -> list[Record]:
    """Return what is kept, by name."""
    return [msgspec.json.decode(file.read_bytes(), type=Record) for file in sorted(folder.glob("*.json"))]


def measured_commit() -> str:
    """Return the commit that was measured, marked when the tree has changes beyond what a run writes."""
    head = _git("rev-parse", "--short", "HEAD")
    changed = [line for line in _git("status", "--porcelain").splitlines() if " docs/" not in line]
    return f"{head} and changes" if changed else head


def _git(*arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=30, check=True
    ).stdout.rstrip()
