"""Orders that are placed at a steady rate, each to be followed at least once."""

import asyncio
import random
import time
from collections import defaultdict, deque
from uuid import UUID

from tests.load.http_lane import Lane, open_lane
from tests.load.placing import order_id_of

LANES = 8
ANSWER_S = 20.0


class Orders:
    """Places them, and gives them out: first those that nobody follows, then any of the latest."""

    def __init__(self, rng: random.Random, wallets: int, recent: int) -> None:
        self.placed: list[str] = []
        self.by_wallet: defaultdict[str, set[str]] = defaultdict(set)
        self.ended = False
        self._rng = rng
        self._wallets = wallets
        self._recent = recent
        self._unfollowed = deque[str]()
        self._turn = asyncio.Condition()

    def wallet(self, number: int) -> str:
        return f"wallet-{number % self._wallets}"

    async def place(self, url: str, count: int, rate: float) -> None:
        """Place orders at a rate, whatever the answers take; they must be accepted."""
        lanes = asyncio.Queue[Lane]()
        for _ in range(LANES):
            lanes.put_nowait(await open_lane(url))
        began = time.monotonic()
        try:
            async with asyncio.TaskGroup() as group:
                for number in range(count):
                    await asyncio.sleep(began + number / rate - time.monotonic())
                    group.create_task(self._place(lanes, number))
        finally:
            self.ended = True
            while not lanes.empty():
                lanes.get_nowait().close()
        async with self._turn:
            self._turn.notify_all()

    async def next(self) -> str | None:
        """Return an order to follow; None when all were placed and each is followed."""
        async with self._turn:
            while not self._unfollowed and not self.ended and not self.placed:
                await self._turn.wait()
        if self._unfollowed:
            return self._unfollowed.popleft()
        return None if self.ended else self._rng.choice(self.placed[-self._recent :])

    async def _place(self, lanes: asyncio.Queue[Lane], number: int) -> None:
        async with asyncio.timeout(ANSWER_S):
            lane = await lanes.get()
            order_id = order_id_of(await lane.exchange(self._request(number)))
        lanes.put_nowait(lane)
        self.placed.append(order_id)
        self.by_wallet[self.wallet(number)].add(order_id)
        self._unfollowed.append(order_id)
        async with self._turn:
            self._turn.notify()

    def _request(self, number: int) -> bytes:
        body = (
            f'{{"userWallet":"{self.wallet(number)}","inputToken":"SOL","outputToken":"USDC",'
            f'"inputAmount":"{1 + number % 9}.5","slippageBps":500}}'
        )
        key = UUID(int=self._rng.getrandbits(128), version=4)
        head = f"POST /api/orders/execute HTTP/1.1\r\nhost: engine\r\nidempotency-key: {key}\r\n"
        return f"{head}content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode()
