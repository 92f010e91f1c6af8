"""Clients that post orders of every kind, follow them to their end, and remember what they asked for."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import uuid4

import httpx
import msgspec

from swaprail.domain.tokens import load_tokens
from tests.invariants import Receipt
from tests.system.careful import Careful
from tests.system.engine import Engine
from tests.system.subscribers import Subscriber

PAIRS = (("SOL", "USDC", 150), ("USDC", "SOL", 0), ("RAY", "USDT", 3), ("JUP", "SOL", 0), ("WIF", "USDC", 1))
FOLLOWED_S = 150  # what is stored and not sent in time ends with the proof that it can never land: 80 s
# An answer later than all that an attack costs, and a time that may run out.
LONG_S, SHORT_S = 120, 2.5


class Wanted(msgspec.Struct, frozen=True):
    """An order as its client meant it, in base units."""

    wallet: str
    input_mint: str
    output_mint: str
    input_amount: int
    slippage_bps: int
    min_output_amount: int | None
    expires_at: datetime | None
    may_expire: bool
    cancelled: bool


class Traders:
    """As many at once as there are places, each with one order after the other."""

    def __init__(self, engine: Engine, http: httpx.AsyncClient, seed: int) -> None:
        self._engine, self._http = engine, http
        self._client = Careful(http, lambda: engine.url)
        self._rng = Random(seed)
        self._tokens = load_tokens(None)
        self.wanted: dict[str, Wanted] = {}
        self.subscribers: list[Subscriber] = []
        self.broken: list[str] = []

    @property
    def receipts(self) -> Sequence[Receipt]:
        return self._client.receipts

    async def trade(self, orders: int, at_once: int) -> None:
        """Return when so many orders were posted and followed to their end."""
        left = iter(range(orders))

        async def one_after_the_other() -> None:
            for _ in left:
                await self._trade()

        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(one_after_the_other())

    async def _trade(self) -> None:
        rng = self._rng
        body, wanted = self._draw()
        first = rng.random() < 0.2
        answer = await self._client.post(
            "/api/orders" if first else "/api/orders/execute", msgspec.json.encode(body), key=str(uuid4())
        )
        if wanted.may_expire and answer.status_code == 400:
            return  # this machine is slow: its time was over before it was asked for
        assert answer.status_code in (201, 202), answer.text
        order_id = answer.json()["orderId"]
        self.wanted[order_id] = wanted
        if first:
            started = await self._client.post(f"/api/orders/{order_id}/execute", key=str(uuid4()))
            # The time that a short one has may be over by now.
            assert started.status_code == 202 or wanted.may_expire, started.text
        if wanted.cancelled:
            await asyncio.sleep(rng.random() ** 2)
            await self._client.post(f"/api/orders/{order_id}/cancel")
        await self._follow(order_id)
        if rng.random() < 0.1:
            await self._ask_quotes()

    async def _follow(self, order_id: str) -> None:
        subscriber = Subscriber(lambda: self._engine.ws_url, order_id)
        self.subscribers.append(subscriber)
        try:
            await asyncio.wait_for(subscriber.follow(), FOLLOWED_S)
        except TimeoutError:
            self.broken.append(f"I9 {order_id} was told {[m['status'] for m in subscriber.messages]} and no end")

    async def _ask_quotes(self) -> None:
        query = "inputToken=SOL&outputToken=USDC&inputAmount=1"
        answer = await self._http.get(f"{self._engine.url}/api/quotes?{query}")
        # 503: this one's request was trimmed away.
        if answer.status_code not in (200, 503):
            self.broken.append(f"quotes answered {answer.status_code} {answer.text}")

    def _draw(self) -> tuple[dict[str, Any], Wanted]:
        rng = self._rng
        given, got, price = rng.choice(PAIRS)
        amount = Decimal(rng.randrange(100, 400)) / 100
        least = amount * price / 2 if price and rng.random() < 0.5 else None
        lasts_s = rng.choice((None, None, LONG_S, SHORT_S))
        expires_at = None if lasts_s is None else datetime.now(UTC) + timedelta(seconds=lasts_s)
        body: dict[str, Any] = {
            "userWallet": f"wallet {rng.randrange(20)}",
            "inputToken": given,
            "outputToken": got,
            "inputAmount": str(amount),
            "slippageBps": 300,
        }
        body |= {} if least is None else {"minOutputAmount": str(least)}
        body |= {} if expires_at is None else {"expiresAt": expires_at.isoformat()}
        first, second = self._tokens.find(given, "inputToken"), self._tokens.find(got, "outputToken")
        wanted = Wanted(
            wallet=body["userWallet"],
            input_mint=first.mint,
            output_mint=second.mint,
            input_amount=int(amount * 10**first.decimals),
            slippage_bps=300,
            min_output_amount=None if least is None else int(least * 10**second.decimals),
            expires_at=expires_at,
            may_expire=lasts_s == SHORT_S,
            cancelled=rng.random() < 0.1,
        )
        return body, wanted
