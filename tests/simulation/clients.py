"""Traders: they post, repeat what was not answered, start, cancel, and follow their orders over any number of cuts."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

import msgspec

from swaprail.auth.principals import LOCAL
from swaprail.domain.errors import EngineError, ErrorCode
from swaprail_api.http.requests import Caller
from swaprail_api.schemas.amounts import WrittenAmount
from swaprail_api.schemas.orders import OrderView
from swaprail_api.schemas.requests import PlaceOrder
from tests.simulation.clock import moment
from tests.simulation.loop import VirtualLoop
from tests.simulation.network import Network, UnreachableError
from tests.simulation.processes import Api
from tests.simulation.subscriber import Subscriber

REPEATED = (ErrorCode.UNAVAILABLE, ErrorCode.IDEMPOTENCY_KEY_IN_USE, ErrorCode.OVERLOADED)
PLANS = (
    "execute", "execute", "execute expiring", "execute and cancel", "start", "start twice", "store and cancel",
    "store expiring", "same key", "same key, other body",
)  # fmt: skip

type Answer = tuple[str, PlaceOrder, OrderView | ErrorCode]  # key, body, what came of it


class Traders:
    """All clients of a seed, and what they were answered."""

    def __init__(self, loop: VirtualLoop, rng: Random, network: Network) -> None:
        self.answers: list[Answer] = []
        self.accepted: list[UUID] = []
        self.subscribers: list[Subscriber] = []
        self._loop = loop
        self._rng = rng
        self._network = network
        self._caller = Caller(LOCAL, {})

    async def trade(self, number: int) -> None:
        """Do what one trader does with one order."""
        plan = self._rng.choice(PLANS)
        await asyncio.sleep(self._rng.random() * 4)
        self._loop.note(f"trader {number}: {plan}")
        key, execute = f"key {number}", plan.startswith(("execute", "same"))
        body = self._body(number, self._rng.choice((1.0, 4.0, 12.0)) if "expiring" in plan else None)
        if plan.startswith("same"):
            await self._same_key(key, body, other="other" in plan)
            return
        view = await self._place(key, body, execute=execute)
        if view is None:
            return
        self._follow(view.order_id)
        if plan.startswith("start"):
            await self._start(view.order_id, key, twice="twice" in plan)
        if "cancel" in plan:
            await asyncio.sleep(self._rng.random() ** 3 * 6)
            await self._cancel(view.order_id)

    def _body(self, number: int, expires_in: float | None) -> PlaceOrder:
        expires_at = None if expires_in is None else moment(self._loop.now) + timedelta(seconds=expires_in)
        # At a price of 100 the quotes are 99 to 101: a part of the minimums lets none pass for a while.
        least = self._rng.choice((None, Decimal(98), Decimal("100.5")))
        wanted = None if least is None else WrittenAmount(least * (number + 1))
        return PlaceOrder(
            f"wallet {number % 2}",
            "SOL",
            "USDC",
            WrittenAmount(number + 1),
            min_output_amount=wanted,
            expires_at=None if expires_at is None else expires_at.isoformat(),
        )

    async def _same_key(self, key: str, body: PlaceOrder, *, other: bool) -> None:
        second = msgspec.structs.replace(body, input_amount=WrittenAmount(99)) if other else body
        views = await asyncio.gather(self._place(key, body, execute=True), self._place(key, second, execute=True))
        for view in views:
            if view is not None:
                self._follow(view.order_id)

    async def _place(self, key: str, body: PlaceOrder, *, execute: bool) -> OrderView | None:
        def call(api: Api) -> Awaitable[Any]:
            return api.accept.one(body, self._caller, key, execute=execute)

        answer = await self._insist(call)
        if answer is None:
            return None
        outcome = answer.code if isinstance(answer, EngineError) else answer[0]
        self.answers.append((key, body, outcome))
        if not isinstance(outcome, OrderView):
            return None
        self.accepted.append(outcome.order_id)
        return outcome

    async def _start(self, order_id: UUID, key: str, *, twice: bool) -> None:
        names = [f"{key} start", f"{key} start again"][: 1 + twice]
        answers = await asyncio.gather(*(self._insist(self._start_call(order_id, name)) for name in names))
        started = [a for a in answers if isinstance(a, tuple)]
        if len(started) > 1:
            self._network.broken.append(f"I8 {order_id} was started twice")

    def _start_call(self, order_id: UUID, key: str) -> Callable[[Api], Awaitable[Any]]:
        return lambda api: api.start.run(order_id, self._caller, key)

    async def _cancel(self, order_id: UUID) -> None:
        await self._insist(lambda api: api.cancel.run(order_id, self._caller), times=3)

    async def _insist(self, call: Callable[[Api], Awaitable[Any]], *, times: int = 1_000) -> Any:
        """Repeat until there is an answer that no repetition would change."""
        for _ in range(times):
            try:
                return await self._network.ask(Api, call)
            except UnreachableError:
                pass
            except EngineError as error:
                if error.code not in REPEATED:
                    return error
            await asyncio.sleep(0.1 + self._rng.random())
        return None

    def _follow(self, order_id: UUID) -> None:
        if self._rng.random() < 0.6:
            subscriber = Subscriber(order_id, self._loop, self._rng, self._network)
            self.subscribers.append(subscriber)
            subscriber.task = self._loop.create_task(subscriber.run(), context=self._loop.world.context)
