"""What an attacker makes of a message that was read on its topic: bodies of entries, each with what is wrong with it."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import msgspec
from msgspec.structs import replace

from swaprail.domain.lifecycle import Status
from swaprail.domain.orders import LeasedOrder
from swaprail.domain.quotes import Quote, QuoteResult, Route, Routing
from swaprail.messages.topics import HandedOver, OrderEvent, OrderEvents, OrdersAccepted, OrdersRouted, Topic

WALLET = "mallory"
ACCOUNT = "account of mallory"
BONK = "DezXAZ8z7PnrnRJjz3wXBoRgixCa6xjnB7YaB1pPB263"
LATER, EARLIER = timedelta(days=30), timedelta(hours=1)

type Entry = tuple[Topic, bytes]
type Change = Callable[[LeasedOrder], LeasedOrder]


def route_of(order: LeasedOrder, *, venue: str = "orca") -> msgspec.Raw:
    """Return a route that no router chose: quoted now, and content with nothing."""
    quote = Quote(venue, order.input_amount, 1, 0, 0, 1, time.time())
    return msgspec.Raw(msgspec.json.encode(Routing(Route(venue, quote, 1), [QuoteResult(venue, quote)])))


# Of these the first work wants money, and the others an end that nobody asked for.
CHANGES: dict[str, Change] = {
    "wallet": lambda o: replace(o, wallet=WALLET),
    "amount": lambda o: replace(o, input_amount=o.input_amount * 40),
    "all of it": lambda o: replace(
        o, wallet=WALLET, input_amount=o.input_amount * 40, min_output_amount=None, slippage_bps=10_000
    ),
    "output mint": lambda o: replace(o, output_mint=BONK),
    "input mint": lambda o: replace(o, input_mint=BONK),
    "no minimum": lambda o: replace(o, min_output_amount=None),
    "slippage": lambda o: replace(o, slippage_bps=10_000),
    "later expiry": lambda o: replace(o, expires_at=datetime.now(UTC) + LATER),
    "past expiry": lambda o: replace(o, expires_at=datetime.now(UTC) - EARLIER),
    "queued long ago": lambda o: replace(o, queued_at=o.queued_at - EARLIER),
    "attempts": lambda o: replace(o, attempts=4),
    "account": lambda o: replace(o, account=ACCOUNT),
    "route": lambda o: replace(o, routing=route_of(o)),
    "no route": lambda o: replace(o, routing=msgspec.Raw(b"null")),
    "unreadable route": lambda o: replace(o, routing=msgspec.Raw(b'{"of":"another version"}')),
    "next fence": lambda o: replace(o, fence=o.fence + 1),
    "later fence": lambda o: replace(o, fence=o.fence + 1_000),
    "last fence": lambda o: replace(o, fence=2**63 - 1),
    "no fence": lambda o: replace(o, fence=2**70),
    "submitted": lambda o: replace(o, status=Status.SUBMITTED),
    "confirmed": lambda o: replace(o, status=Status.CONFIRMED),
    "other order": lambda o: replace(o, id=UUID(int=o.id.int ^ 1)),
    "trace": lambda o: replace(o, trace="00-" + "f" * 400),
    "nothing": lambda o: o,
}


def forged(rng: Random, topic: Topic, item: HandedOver) -> Entry:
    """Return the message with one or two things changed, on its own topic or the other one."""
    order = item.order
    for name in rng.sample(sorted(CHANGES), rng.choice((1, 1, 2))):
        order = CHANGES[name](order)
    if rng.random() < 0.1:
        topic = Topic.ROUTED if topic is Topic.ACCEPTED else Topic.ACCEPTED
    return topic, body_of(topic, [_lasting(order)])


def routed_ahead(rng: Random, item: HandedOver) -> Entry:
    """Return, of an order that routers were just handed, what they are about to tell executors: with other terms."""
    change = CHANGES[rng.choice(("all of it", "amount", "wallet", "no minimum", "nothing"))]
    order = change(replace(item.order, status=Status.BUILDING, seq=3, fence=item.order.fence + 1))
    venue = rng.choice(("raydium", "meteora"))
    return Topic.ROUTED, body_of(Topic.ROUTED, [_lasting(replace(order, routing=route_of(order, venue=venue)))])


def mangled(rng: Random, topic: Topic, body: bytes) -> Entry:
    """Return a body that is no message of this version."""
    told: dict[str, Any] = json.loads(body)
    items = "events" if topic is Topic.EVENTS else "orders"
    choices: tuple[Callable[[], bytes], ...] = (
        lambda: body[: rng.randrange(len(body))],
        lambda: json.dumps(told | {"version": rng.choice((0, 2, -1, "1", None, 10**30))}).encode(),
        lambda: json.dumps({items: told[items] * 65, "version": 1}).encode(),
        lambda: rng.randbytes(rng.randrange(200)),
        lambda: b"[" * 10_000,
        lambda: body.replace(b'"', b"'"),
        lambda: bytes(byte ^ (rng.random() < 0.01) for byte in body),
    )
    return topic, rng.choice(choices)()


def told_wrongly(rng: Random, event: OrderEvent) -> Entry:
    """Return a step that no table has, of an order that has begun to be told."""
    step = rng.choice((event.seq, event.seq + 1, event.seq + 2, 1))
    status = rng.choice(("CONFIRMED", "FAILED", "CANCELLED", "SUBMITTED", "EXPIRED"))
    data = msgspec.Raw(b'{"signature":"forged","outputAmount":"1000000"}')
    at = event.at + rng.choice((0, 1, 1_000_000))
    return Topic.EVENTS, msgspec.json.encode(
        OrderEvents(
            [replace(event, seq=step, status=status, data=data, at=at, wallet=rng.choice((event.wallet, WALLET)))]
        )
    )


def quote_request(rng: Random) -> Entry:
    """Return a request for quotes that nobody made."""
    asked = {
        "inputMint": rng.choice((BONK, "no mint", "")),
        "outputMint": BONK,
        "inputAmount": rng.choice((1, 0, -1, 2**64, 10**40)),
        "deadlineMs": rng.choice((1_000, 0, 10**12)),
        "version": rng.choice((1, 2)),
    }
    return Topic.QUOTES, json.dumps(asked).encode()


def body_of(topic: Topic, items: list[HandedOver]) -> bytes:
    """Return the body of a message."""
    return msgspec.json.encode((OrdersAccepted if topic is Topic.ACCEPTED else OrdersRouted)(items))


def _lasting(order: LeasedOrder) -> HandedOver:
    return HandedOver(order, int(time.time() * 1000) + 60_000)
