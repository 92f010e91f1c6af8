"""Soak: thousands of orders while everything is killed again and again. `python -m tests.faults.soak --short`."""

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from tests.evidence import record
from tests.faults.soak.plan import LONG, SHORT, Form, make_plan
from tests.faults.soak.run import Soak


def main() -> None:
    options = _options()
    form, seed = _form(options), options.seed
    plan = make_plan(seed, form)
    print(f"seed {seed}, {form}", *plan, sep="\n", flush=True)
    home = Path(tempfile.mkdtemp(prefix="swaprail-soak-"))
    home.chmod(0o755)  # PostgreSQL runs as somebody else when we are root
    print(f"logs of services and servers are in {home} until all is well", flush=True)
    soak = Soak(seed, form, plan, home)
    asyncio.run(soak.run())
    for name, value in soak.figures.items():
        print(f"{name:60} {value}")
    command = f"python -m tests.faults.soak {' '.join(sys.argv[1:])} --seed {seed}"
    if soak.broken:
        print(f"{len(soak.broken)} BROKEN; again by: {command}", *soak.broken, sep="\n")
        sys.exit(1)
    shutil.rmtree(home)
    print("0 lost, 0 doubled, 0 invariants broken")
    if os.environ.get("RECORD") and not options.short:
        kept = {"seed": seed, "orders lost": 0, "orders executed twice": 0, "invariants broken": 0} | soak.figures
        record("soak", title="Soak: everything killed again and again", command="make soak", figures=kept)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.faults.soak")
    parser.add_argument("--short", action="store_true", help="three minutes, for CI")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000, help="of the faults and the orders")
    parser.add_argument("--orders", type=int, help="orders at least")
    parser.add_argument("--in-flight", type=int, help="orders open at once")
    parser.add_argument("--minutes", type=float, help="how long things are broken, at least")
    parser.add_argument("--kills", type=int, help="services killed at least")
    return parser.parse_args()


def _form(options: argparse.Namespace) -> Form:
    form = SHORT if options.short else LONG
    given = {"orders": options.orders, "in_flight": options.in_flight, "kills": options.kills}
    if options.minutes:
        given["seconds"] = options.minutes * 60
    return replace(form, **{name: value for name, value in given.items() if value is not None})


if __name__ == "__main__":
    main()
