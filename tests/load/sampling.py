"""Samples of an engine's services while they are measured, and what they say by package and by function."""

import json
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from swaprail.testing.conditions import until
from tests.load.figures import Figures, is_service

SAMPLER = Path(__file__).parent / "sampler"
LOOP = "asyncio.runners"  # its run() is the innermost Python while the loop itself works: uvloop is no Python
type Stacks = list[tuple[list[str], int]]


class Hot(NamedTuple):
    """A function: ms of CPU an order in itself, and with all that it calls."""

    name: str
    own_ms: float
    total_ms: float


class Profile(NamedTuple):
    """One process: ms of CPU an order, by package, and its hottest functions."""

    process: str
    cpu_ms: float
    samples: int
    packages: dict[str, float]
    hottest: list[Hot]


def sampler_settings(folder: Path | None) -> dict[str, object]:
    """Return the environment of processes that can be sampled."""
    return {} if folder is None else {"pythonpath": SAMPLER, "profile_dir": folder}


@asynccontextmanager
async def sampled(pids: dict[str, int], folder: Path | None) -> AsyncIterator[None]:
    """Sample the services; there is a file PID.json of each in the folder afterwards."""
    services = {} if folder is None else {name: pid for name, pid in pids.items() if is_service(name)}
    for pid in services.values():
        os.kill(pid, signal.SIGUSR2)
    yield
    for name, pid in services.items():
        os.kill(pid, signal.SIGUSR1)
        file = Path(str(folder), f"{pid}.json")
        await until(file.exists, within_s=10, what=f"the profile of {name}")


def profiles(folder: Path, figures: Figures) -> list[Profile]:
    """Read what was sampled; figures has each process' CPU an order."""
    files = {json.loads(file.read_text())["process"]: file for file in folder.glob("*.json")}
    return [
        _profile(name, json.loads(file.read_text())["stacks"], figures[f"cpu_ms_{name}"])
        for name, file in sorted(files.items())
    ]


def _profile(process: str, stacks: Stacks, cpu_ms: float, most: int = 15) -> Profile:
    own, total, packages = Counter[str](), Counter[str](), Counter[str]()
    for stack, count in stacks:
        own[_named(stack[-1])] += count
        packages[_package(stack)] += count
        for function in {_named(each) for each in stack}:
            total[function] += count
    samples = sum(own.values())
    each = cpu_ms / max(1, samples)
    hottest = [Hot(name, count * each, total[name] * each) for name, count in own.most_common(most)]
    shares = {name: count * each for name, count in packages.most_common(most)}
    return Profile(process, cpu_ms, samples, shares, hottest)


def _named(function: str) -> str:
    return "event loop and system calls" if function.startswith(LOOP) else function


def _package(stack: list[str]) -> str:
    """Return the package of the innermost function: for ours with the module, for others the first name."""
    if stack[-1].startswith(LOOP):
        return _named(stack[-1])
    module = stack[-1].partition(":")[0]
    parts = module.split(".")
    return ".".join(parts[:2]) if parts[0] == "swaprail" else parts[0]
