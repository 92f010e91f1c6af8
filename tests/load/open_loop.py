"""Open loop: orders are placed at their planned times, whether or not earlier ones were answered."""

import asyncio
import time
from collections import deque
from typing import NamedTuple

from tests.load.http_lane import Lane, open_lane
from tests.load.placing import Post, order_id_of, request_of
from tests.load.watcher import Watcher

ANSWER_S = 10.0
END_S = 60.0


class Followed(NamedTuple):
    """One order; late is how long after its planned time the request was sent (seconds)."""

    post: Post
    late: float
    watcher: Watcher

    @property
    def planned(self) -> float:
        """When it was to be sent (seconds since 1970)."""
        return self.post.sent - self.late


class OpenLoop:
    """Places orders at a rate, and follows each by a WebSocket of its own if told to. For one run."""

    def __init__(self, url: str, ws_url: str, *, follow: bool = True) -> None:
        self._follow = follow
        self._url = url
        self._ws_url = ws_url
        self._free: deque[Lane] = deque()
        self._lanes: list[Lane] = []

    async def run(self, numbers: range, rate: int) -> list[Followed]:
        """Return every order, followed to its end."""
        began = time.time()
        try:
            async with asyncio.TaskGroup() as group:
                tasks = []
                for place, number in enumerate(numbers):
                    planned = began + place / rate
                    await asyncio.sleep(max(0.0, planned - time.time()))
                    tasks.append(group.create_task(self._one(number, planned)))
        finally:
            for lane in self._lanes:
                lane.close()
        return [task.result() for task in tasks]

    async def _one(self, number: int, planned: float) -> Followed:
        request = request_of(number)
        lane = self._free.popleft() if self._free else await self._new_lane()
        sent, began = time.time(), time.perf_counter()
        async with asyncio.timeout(ANSWER_S):
            answer = await lane.exchange(request)
        post = Post(order_id_of(answer), sent, time.perf_counter() - began)
        self._free.append(lane)
        watcher = Watcher(post.order_id)
        if self._follow:
            await watcher.follow(self._ws_url, END_S)
        return Followed(post, sent - planned, watcher)

    async def _new_lane(self) -> Lane:
        lane = await open_lane(self._url)
        self._lanes.append(lane)
        return lane
