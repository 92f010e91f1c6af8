"""A random walk of toxics over all links: the same seed walks the same way."""

import asyncio
import random
import time
from collections.abc import Sequence

import msgspec

from tests.faults.network.toxics import HEALTHY, TOXICS
from tests.faults.network.world import LINKS, World

STEP_S = (0.3, 1.2)
ILLNESS_S = (1.0, 5.0)
MOST_ILL = 5


class Step(msgspec.Struct, frozen=True, order=True):
    """At a moment, a link's new state; without a toxic it heals."""

    at_s: float
    link: str
    toxic: str = ""


def steps(seed: int, seconds: float, links: Sequence[str] = LINKS) -> list[Step]:
    """Return a walk of so many seconds, at whose end every link is healthy."""
    chance = random.Random(seed)
    walk: list[Step] = []
    ill: dict[str, float] = {}
    at_s = 0.0
    while at_s < seconds:
        ill = {link: until_s for link, until_s in ill.items() if until_s > at_s}
        if len(ill) < MOST_ILL:
            link = chance.choice([link for link in links if link not in ill])
            ill[link] = min(seconds, at_s + chance.uniform(*ILLNESS_S))
            walk += [Step(at_s, link, chance.choice(list(TOXICS))), Step(ill[link], link)]
        at_s += chance.uniform(*STEP_S)
    return sorted(walk)


async def go(world: World, walk: Sequence[Step]) -> None:
    """Walk."""
    began = time.monotonic()
    for step in walk:
        await asyncio.sleep(began + step.at_s - time.monotonic())
        await world.afflict([step.link], TOXICS.get(step.toxic, HEALTHY))
