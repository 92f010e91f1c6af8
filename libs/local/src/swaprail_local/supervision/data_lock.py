"""One run at a time in a data directory."""

import fcntl
import os
from pathlib import Path
from typing import IO


class DataInUseError(RuntimeError):
    """Another run uses the directory."""


class DataLock:
    """Held until released or until this process ends, however it ends."""

    def __init__(self, data: Path) -> None:
        """Lock the directory.

        Raises:
            DataInUseError: another run holds it; the message names its process.
        """
        data.mkdir(parents=True, exist_ok=True)
        self._file = _open(data / "lock")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = self._file.read().strip() or "unknown"
            self._file.close()
            raise DataInUseError(
                f"Another run (process {owner}) uses {data}. Stop it, or give this one a DATA_DIR of its own."
            ) from error
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()

    def release(self) -> None:
        self._file.close()


def _open(path: Path) -> IO[str]:
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+", encoding="ascii")
