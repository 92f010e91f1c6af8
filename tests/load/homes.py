"""A directory for the data of one run."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DISK = Path("/var/tmp")  # where it exists it is a disk, while /tmp may be memory


@contextmanager
def home_of_a_run() -> Iterator[Path]:
    """Make a directory, and leave nothing of it behind."""
    home = Path(tempfile.mkdtemp(prefix="swaprail-bench-", dir=DISK if DISK.is_dir() else None))
    home.chmod(0o755)  # PostgreSQL does not run as root and must pass
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)
