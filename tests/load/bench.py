"""`make bench` and `make bench-counts`: what the engine does in a second, and what an order costs it."""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[2])  # the checkout, so that tests.system is found

from tests.load.options import parse_options  # noqa: E402
from tests.load.plan import run_plan  # noqa: E402

if __name__ == "__main__":
    sys.exit(run_plan(parse_options()))
