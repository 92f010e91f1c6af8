"""Closed loop: each connection places its next order when the last one was accepted."""

import asyncio
import time
from collections.abc import Iterator, Sequence

from tests.load.http_lane import Lane, open_lane
from tests.load.placing import Post, order_id_of, request_of

LONGEST_S = 300.0


async def place_orders(urls: Sequence[str], numbers: range, connections: int, *, keys: bool = False) -> list[Post]:
    """Place one order for each number as fast as the engine's APIs accept them."""
    lanes = [await open_lane(urls[at % len(urls)]) for at in range(connections)]
    posts: list[Post] = []
    waiting = iter(numbers)
    try:
        async with asyncio.timeout(LONGEST_S), asyncio.TaskGroup() as group:
            for lane in lanes:
                group.create_task(_place(lane, waiting, posts, keys))
    finally:
        for lane in lanes:
            lane.close()
    return posts


async def _place(lane: Lane, numbers: Iterator[int], posts: list[Post], keys: bool) -> None:
    for number in numbers:
        request = request_of(number, key=keys)
        sent, began = time.time(), time.perf_counter()
        answer = await lane.exchange(request)
        posts.append(Post(order_id_of(answer), sent, time.perf_counter() - began))
