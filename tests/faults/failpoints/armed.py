"""Run a service with its seams wrapped: `python -m tests.faults.failpoints.armed swaprail_router`."""

import importlib
import sys

from tests.faults.failpoints import provoke
from tests.faults.failpoints.seams import wrap_all


def wrap() -> None:
    """Make this process a failing one; before any service is built."""
    provoke.claim_soon()
    provoke.quicken()
    wrap_all()


def main() -> None:
    wrap()
    importlib.import_module(f"{sys.argv[1]}.__main__").main()


if __name__ == "__main__":
    main()
