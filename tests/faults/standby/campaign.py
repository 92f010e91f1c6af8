"""Promotions under load, one after the other."""

import asyncio
import signal
from random import Random
from time import monotonic

import msgspec

from tests.faults.standby.load import Load
from tests.faults.standby.world import World

ENDS = (signal.SIGQUIT, signal.SIGQUIT, signal.SIGKILL, signal.SIGINT)
ORDERS_BETWEEN = 15


class Course(msgspec.Struct):
    """What a campaign has done and found."""

    promotions: int = 0
    ends: dict[str, int] = {}
    with_standby_away: int = 0
    slowest_s: float = 0  # until the engine accepted orders again after the primary was lost
    broken: list[str] = []


async def lose_and_promote(world: World, how: signal.Signals, *, away_s: float) -> list[str]:
    """Lose the primary, the standby so many seconds before it; return what was told and is not so."""
    if away_s:
        await world.pair.detach()
        await asyncio.sleep(away_s)
    await world.pair.lose_primary(how)
    return await world.fail_over()


async def promote_again_and_again(world: World, load: Load, seed: int, promotions: int) -> Course:
    """Do it so many times, in ways that the seed chooses."""
    random, course = Random(f"{seed} promotions"), Course()
    for _ in range(promotions):
        await load.flows(ORDERS_BETWEEN)
        how, away_s = random.choice(ENDS), random.choice((0.0, random.uniform(0.2, 2.0)))
        began = monotonic()
        load.hear()
        broken = await lose_and_promote(world, how, away_s=away_s)
        await load.flows(1)
        course.promotions += 1
        course.ends[how.name] = course.ends.get(how.name, 0) + 1
        course.with_standby_away += bool(away_s)
        course.slowest_s = max(course.slowest_s, monotonic() - began - away_s)
        load.hear()
        course.broken += broken + await world.differences()
        print(
            f"{course.promotions} {how.name} {away_s:.1f} s: {len(load.traders.accepted)} orders, {broken}", flush=True
        )
        if course.broken or load.traders.broken:
            break
    return course
