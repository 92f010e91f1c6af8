"""The long form: the standby is promoted under load again and again. `python -m tests.faults.standby --promotions 200`."""

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.evidence import Figure, record
from tests.faults.standby.campaign import promote_again_and_again
from tests.faults.standby.load import trading
from tests.faults.standby.world import running


def main() -> int:
    options = _options()
    home = Path(tempfile.mkdtemp(prefix="swaprail-standby-"))
    home.chmod(0o755)  # PostgreSQL runs as somebody else when we are root
    print(f"seed {options.seed}, {options.promotions} promotions, synchronous_commit {options.mode}; logs in {home}")
    figures, broken = asyncio.run(_run(options, home))
    for name, value in figures.items():
        print(f"{name:60} {value}")
    if broken:
        print(f"{len(broken)} BROKEN", *broken[:20], sep="\n")
        return 1
    shutil.rmtree(home)
    print("0 lost, 0 told and undone")
    if os.environ.get("RECORD") == "1":
        command = f"make faults-standby PROMOTIONS={options.promotions}"
        record("standby", title="A synchronous standby, promoted under load", command=command, figures=figures)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.faults.standby", description=__doc__)
    parser.add_argument("--promotions", type=int, default=200)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    parser.add_argument("--at-once", type=int, default=25, help="orders in flight")
    parser.add_argument(
        "--mode", default="on", choices=("on", "remote_write", "remote_apply"), help="synchronous_commit"
    )
    return parser.parse_args()


async def _run(options: argparse.Namespace, home: Path) -> tuple[dict[str, Figure], list[str]]:
    began = time.monotonic()
    async with running(home, mode=options.mode) as world:
        async with trading(world, options.seed, options.at_once) as load:
            course = await promote_again_and_again(world, load, options.seed, options.promotions)
        broken = course.broken + await load.judge()
        figures: dict[str, Figure] = {
            "seed": options.seed,
            "promotions under load": course.promotions,
            **{f"primaries ended by {name}": count for name, count in sorted(course.ends.items())},
            "promotions of a standby that was away before": course.with_standby_away,
            "orders accepted": len(load.traders.accepted),
            "orders told CANCELLED": load.traders.kinds["cancelled"],
            "orders read over HTTP, times": load.reads,
            "WebSocket connections": load.traders.connections,
            **{f"POST answered {code}": count for code, count in load.traders.answers.items()},
            "told as stored and lost": sum("lost" in text for text in broken),
            "told and undone": sum("undone" in text or "moved" in text for text in broken),
            "executed twice": sum("times" in text for text in broken),
            "invariants broken": len(broken),
            "cancels that the servers were asked for": world.cancels(),
            "slowest until orders were accepted again, s": round(course.slowest_s, 1),
            "duration, s": round(time.monotonic() - began),
        }
    return figures, broken


if __name__ == "__main__":
    sys.exit(main())
