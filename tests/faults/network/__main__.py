"""The long form: every link with every toxic, then a random walk over all links."""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from swaprail.db.migrate import migrate
from swaprail_local.servers.postgres import EmbeddedPostgres
from swaprail_local.servers.valkey import EmbeddedValkey
from tests.evidence import record
from tests.faults.network.case import Course, Outcome
from tests.faults.network.report import figures, line, table
from tests.faults.network.toxics import TOXICS
from tests.faults.network.world import LINKS, running


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tests.faults.network", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="length of the random walk; 0: none")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument(
        "--links",
        nargs="*",
        default=list(LINKS),
        metavar="LINK",
        help=f"several joined by commas suffer together; default: each of {', '.join(LINKS)}; none: only the walk",
    )
    parser.add_argument("--toxics", nargs="*", default=list(TOXICS), metavar="TOXIC", help=", ".join(TOXICS))
    parser.add_argument("--home", type=Path, help="where servers and logs live; default: a directory of its own")
    return parser


@contextmanager
def _servers(home: Path) -> Iterator[tuple[str, str]]:
    postgres, valkey = EmbeddedPostgres(home / "postgres", durable=True), EmbeddedValkey(home / "valkey")
    try:
        postgres.start()
        valkey.start()
        migrate(postgres.dsn)
        yield postgres.dsn, valkey.url
    finally:
        valkey.stop()
        postgres.stop()


async def _run(given: argparse.Namespace, dsn: str, redis_url: str, home: Path) -> list[Outcome]:
    outcomes: list[Outcome] = []
    async with running(dsn, redis_url, home, given.seed) as world:
        for link in given.links:
            for toxic in given.toxics:
                outcomes.append(await Course(world).suffer(link.split(","), toxic))
                _tell(line(outcomes[-1]))
        if given.seconds:
            outcomes.append(await Course(world).wander(given.seed, given.seconds))
            _tell(line(outcomes[-1]))
    return outcomes


def _tell(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> int:
    given = _parser().parse_args()
    sys.stdout.write(f"seed {given.seed}\n")
    home = given.home or Path(tempfile.mkdtemp(prefix="swaprail-network-"))
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o755)
    sys.stdout.write(f"logs in {home}\n")
    with _servers(home) as (dsn, redis_url):
        outcomes = asyncio.run(_run(given, dsn, redis_url, home))
    sys.stdout.write(table(outcomes))
    if os.environ.get("RECORD") == "1":
        record(
            "network",
            title="A proxy on every link, every toxic, and a random walk over all links",
            command=f"make faults-network SECONDS={given.seconds:g} SEED={given.seed}",
            figures=figures(outcomes),
        )
    return any(outcome.broken for outcome in outcomes)


if __name__ == "__main__":
    raise SystemExit(main())
