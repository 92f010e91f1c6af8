"""A WebSocket that is there before the order is executed, is cut on the way, and misses nothing.

URL (default http://127.0.0.1:3000) names a running engine, SWAPRAIL_API_KEY a key if it wants one.
"""

import asyncio
import os
import sys
import time
from contextlib import aclosing

import msgspec
from websockets.exceptions import WebSocketException

from swaprail_client import NewOrder, Order, StatusMessage, SwaprailClient, SwaprailError

URL = os.environ.get("URL") or "http://127.0.0.1:3000"
PATIENCE_S = 60
CUT_AFTER = 2  # steps


class BrokenGuaranteeError(Exception):
    """The engine did what it must not do."""


def require(kept: bool, guarantee: str) -> None:
    print(f"  {'ok  ' if kept else 'FAIL'}  {guarantee}")
    if not kept:
        raise BrokenGuaranteeError(guarantee)


async def main() -> None:
    async with SwaprailClient(URL, os.environ.get("SWAPRAIL_API_KEY")) as client:
        order = NewOrder(
            user_wallet=f"flow-{time.time_ns()}", input_token="SOL", output_token="USDC", input_amount="0.5"
        )
        posted = await client.submit(order, execute=False)
        print(f"Order {posted.order_id} waits to be executed")
        before = await until_cut(client, posted)
        after = await to_the_end(client, posted, before[-1].seq)
        check(before, after, await client.get(posted.order_id))


def show(text: str | bytes) -> StatusMessage:
    print(f"  {text if isinstance(text, str) else text.decode()}")
    return msgspec.json.decode(text, type=StatusMessage)


async def until_cut(client: SwaprailClient, order: Order) -> list[StatusMessage]:
    print(f"\nConnected to /ws/orders/{order.order_id}?after=0")
    steps: list[StatusMessage] = []
    async with client.open_stream(order.order_id) as socket:
        steps.append(show(await socket.recv()))
        print("POST /api/orders/…/execute")
        await client.execute(order.order_id)
        while len(steps) < CUT_AFTER:
            steps.append(show(await socket.recv()))
        socket.transport.abort()
    print(f"Cut after step {steps[-1].seq}, without a goodbye")
    return steps


async def to_the_end(client: SwaprailClient, order: Order, last: int) -> list[StatusMessage]:
    # Let a step pass that this listener cannot hear; another one tells that it did.
    async with aclosing(client.watch(order.order_id, last)) as elsewhere:
        missed = await anext(elsewhere)
    print(f"\n{missed.status} was missed; connected again with ?after={last}")
    steps: list[StatusMessage] = []
    async with client.open_stream(order.order_id, after=last) as socket:
        while not steps or not steps[-1].ends:
            steps.append(show(await socket.recv()))
    return steps


def check(before: list[StatusMessage], after: list[StatusMessage], order: Order) -> None:
    print(f"\nGuarantees; the order is {order.status}")
    told = [step.seq for step in [*before, *after]]
    print(f"  told       {[step.seq for step in before]} and then {[step.seq for step in after]}")
    require(told == list(range(1, order.seq + 1)), f"steps 1 to {order.seq} were each told once, in order")
    require(after[-1].status == order.status, "the last one is how the order ended")


if __name__ == "__main__":
    try:
        asyncio.run(asyncio.wait_for(main(), PATIENCE_S))
    except (SwaprailError, BrokenGuaranteeError, WebSocketException, TimeoutError) as error:
        sys.exit(f"ws: {str(error) or f'not ended within {PATIENCE_S} s'}")
