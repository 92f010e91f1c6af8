"""One order: posted, each status as it comes, and what is known of it in the end.

URL (default http://127.0.0.1:3000) names a running engine, SWAPRAIL_API_KEY a key if it wants one.
"""

import asyncio
import os
import sys
import time

from swaprail_client import NewOrder, Order, StatusMessage, SwaprailClient, SwaprailError

URL = os.environ.get("URL") or "http://127.0.0.1:3000"
PATIENCE_S = 60


class BrokenGuaranteeError(Exception):
    """The engine did what it must not do."""


def require(kept: bool, guarantee: str) -> None:
    print(f"  {'ok  ' if kept else 'FAIL'}  {guarantee}")
    if not kept:
        raise BrokenGuaranteeError(guarantee)


async def main() -> None:
    async with SwaprailClient(URL, os.environ.get("SWAPRAIL_API_KEY")) as client:
        order = NewOrder(
            user_wallet=f"flow-{time.time_ns()}", input_token="SOL", output_token="USDC", input_amount="1.5"
        )
        started = time.monotonic()
        posted = await client.submit(order)
        answered = (time.monotonic() - started) * 1000
        print(
            f"POST /api/orders/execute at {URL}\n  202 after {answered:.1f} ms: order {posted.order_id} is {posted.status}"
        )
        steps = await watch(client, posted, started)
        final = await client.get(posted.order_id)
        show(final)
        check(steps, final)


async def watch(client: SwaprailClient, posted: Order, started: float) -> list[StatusMessage]:
    print("\nSteps, as the WebSocket tells them")
    steps: list[StatusMessage] = []
    async for step in client.watch(posted.order_id):
        since_start = time.monotonic() - started
        print(
            f"  {step.seq}  {step.status:<9}  {step.timestamp:%H:%M:%S.%f}  seen after {since_start:6.3f} s  {step.data}"
        )
        steps.append(step)
    return steps


def show(order: Order) -> None:
    print(
        f"\nThe order: {order.input_amount} {order.input_token} for {order.output_amount} {order.output_token}, {order.status}"
    )
    if order.route:
        print(f"  route      {order.route.venue}, at least {order.route.least_output} {order.output_token}")
    for quote in order.quotes:
        gives = (
            f"{quote.output_amount} {order.output_token}, fee {quote.fee_bps} bps, impact {quote.price_impact_bps} bps"
        )
        print(f"  quote      {quote.venue}: {gives if quote.usable else f'{quote.discarded}: {quote.detail}'}")
    for attempt in order.attempts:
        print(f"  attempt    {attempt.attempt} on {attempt.venue}: {attempt.state} in slot {attempt.slot}")
    print(f"  signature  {order.signature}")
    if order.failure:
        print(f"  failure    {order.failure.code}: {order.failure.detail} Funds moved: {order.failure.funds_moved}.")


def check(steps: list[StatusMessage], order: Order) -> None:
    print("\nGuarantees")
    times = [step.timestamp for step in steps]
    require([step.seq for step in steps] == list(range(1, len(steps) + 1)), "every step was told once, in order")
    require(times == sorted(times), "no step is earlier than the one before")
    require(order.ended and order.status == steps[-1].status, "the order ended, as the last step says")
    require(set(order.timestamps) == {step.status for step in steps}, "the order has the time of every status")
    landed = sum(attempt.state == "LANDED" for attempt in order.attempts)
    require(landed == (order.status == "CONFIRMED"), "it was executed once if it is CONFIRMED, and else never")
    if order.status == "CONFIRMED":
        require(bool(order.route and order.quotes and order.signature), "route, quotes and signature are known")
    else:
        # A share of paper swaps reverts on purpose: that is an end too.
        require(order.failure is not None, "the reason is told")


if __name__ == "__main__":
    try:
        asyncio.run(asyncio.wait_for(main(), PATIENCE_S))
    except (SwaprailError, BrokenGuaranteeError, TimeoutError) as error:
        sys.exit(f"order: {str(error) or f'not ended within {PATIENCE_S} s'}")
