"""Every failpoint: `python -m tests.faults.failpoints`. With --rounds also at later passages; RECORD=1 keeps the figures."""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

from swaprail_local.servers.postgres import EmbeddedPostgres
from swaprail_local.servers.valkey import EmbeddedValkey
from tests.faults.failpoints.campaign import LANES, campaign, jobs
from tests.faults.failpoints.report import keep, line, summary
from tests.faults.failpoints.trial import Outcome


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tests.faults.failpoints", description=__doc__)
    parser.add_argument("--rounds", type=int, default=1, help="times that every phase of every point is tried")
    parser.add_argument("--lanes", type=int, default=LANES, help="engines at once")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--only", nargs="*", default=[], help="patterns of service:point")
    parser.add_argument("--home", type=Path, help="where servers and logs live; default: a directory of its own")
    parser.add_argument("--all", action="store_true", help="tell of trials that went well, too")
    return parser


def main() -> int:
    given = _parser().parse_args()
    home: Path = given.home or Path(tempfile.mkdtemp(prefix="swaprail-failpoints-"))
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o755)
    sys.stdout.write(f"seed {given.seed}, logs in {home}\n")

    def tell(outcome: Outcome) -> None:
        if given.all or outcome.broken:
            sys.stdout.write(line(outcome))
            sys.stdout.flush()

    began = time.monotonic()
    postgres, valkey = (
        EmbeddedPostgres(home / "postgres", durable=True),
        EmbeddedValkey(home / "valkey", durable=False),
    )
    try:
        postgres.start()
        valkey.start()
        todo = jobs(given.rounds, given.seed, given.only)
        outcomes = asyncio.run(campaign(postgres, valkey.url, home / "lanes", todo, given.lanes, tell))
    finally:
        valkey.stop()
        postgres.stop()
    seconds = time.monotonic() - began
    sys.stdout.write(summary(outcomes, seconds))
    broken = any(outcome.broken for outcome in outcomes)
    if os.environ.get("RECORD") == "1" and not broken and not given.only:
        keep(outcomes, seconds, f"python -m tests.faults.failpoints --rounds {given.rounds} --seed {given.seed}")
    return int(broken or not outcomes)


if __name__ == "__main__":
    raise SystemExit(main())
