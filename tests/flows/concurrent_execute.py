"""Fifty calls execute one order at once, and one wins; then twenty orders at once, and all end.

URL (default http://127.0.0.1:3000) names a running engine, SWAPRAIL_API_KEY a key if it wants one.
"""

import asyncio
import os
import sys
import time
from collections import Counter

from swaprail_client import NewOrder, Order, SwaprailClient, SwaprailError

URL = os.environ.get("URL") or "http://127.0.0.1:3000"
CALLS = 50
ORDERS = 20
PATIENCE_S = 120


class BrokenGuaranteeError(Exception):
    """The engine did what it must not do."""


def require(kept: bool, guarantee: str) -> None:
    print(f"  {'ok  ' if kept else 'FAIL'}  {guarantee}")
    if not kept:
        raise BrokenGuaranteeError(guarantee)


def an_order(wallet: str, amount: str) -> NewOrder:
    return NewOrder(user_wallet=wallet, input_token="SOL", output_token="USDC", input_amount=amount)


async def main() -> None:
    async with SwaprailClient(URL, os.environ.get("SWAPRAIL_API_KEY"), timeout=60) as client:
        wallet = f"flow-{time.time_ns()}"
        await one_order(client, wallet)
        await many_orders(client, wallet)


async def one_order(client: SwaprailClient, wallet: str) -> None:
    posted = await client.submit(an_order(wallet, "1"), execute=False)
    print(f"Order {posted.order_id} is {posted.status}; {CALLS} times POST /api/orders/…/execute at once")
    answers = await asyncio.gather(*(execute(client, posted) for _ in range(CALLS)))
    for answer, count in Counter(answers).most_common():
        print(f"  {count:>3} x {answer}")
    winners = sum(answer.startswith("202") for answer in answers)
    require(winners == 1, "exactly one call was told that it executes the order")
    losers = sum(answer.startswith("409 order_status_mismatch") for answer in answers)
    require(losers == CALLS - 1, "the others were told order_status_mismatch")
    status = await outcome(client, posted)
    events = await client.events(posted.order_id)
    final = await client.get(posted.order_id)
    print(f"  it ended {status} after the steps {', '.join(event.status for event in events)}")
    require(sum(event.status == "CONFIRMED" for event in events) <= 1, "it was confirmed at most once")
    require(sum(attempt.state == "LANDED" for attempt in final.attempts) <= 1, "at most one of its transactions landed")


async def execute(client: SwaprailClient, order: Order) -> str:
    try:
        return f"202 {(await client.execute(order.order_id)).status}"
    except SwaprailError as error:
        return f"{error.status} {error.code}, found {error.extra.get('found')}"


async def outcome(client: SwaprailClient, order: Order) -> str:
    statuses: list[str] = []
    async for step in client.watch(order.order_id):
        if step.seq != len(statuses) + 1:
            raise BrokenGuaranteeError(f"step {step.seq} followed {len(statuses)} steps")
        statuses.append(step.status)
    return statuses[-1]


async def many_orders(client: SwaprailClient, wallet: str) -> None:
    print(f"\n{ORDERS} orders at once")
    started = time.monotonic()
    posted = await asyncio.gather(*(client.submit(an_order(wallet, f"0.{10 + n}")) for n in range(ORDERS)))
    print(f"  all accepted after {time.monotonic() - started:.3f} s")
    outcomes = await asyncio.gather(*(outcome(client, order) for order in posted))
    print(f"  all ended after {time.monotonic() - started:.3f} s: {dict(Counter(outcomes))}")
    require(len({order.order_id for order in posted}) == ORDERS, "each order has its own id")
    require(set(outcomes) <= {"CONFIRMED", "FAILED"}, "each was executed or failed with a reason")
    listed = [order async for order in client.list_all(wallet)]
    require(len(listed) == ORDERS + 1 and all(order.ended for order in listed), "the wallet's list has them all, ended")


if __name__ == "__main__":
    try:
        asyncio.run(asyncio.wait_for(main(), PATIENCE_S))
    except (SwaprailError, BrokenGuaranteeError, TimeoutError) as error:
        sys.exit(f"concurrent: {str(error) or f'not ended within {PATIENCE_S} s'}")
