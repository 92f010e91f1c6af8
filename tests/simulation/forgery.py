"""Somebody who can write to Redis tells notifiers of steps that never were, and hands workers orders that nobody posted."""

from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

import msgspec
from msgspec.structs import replace

from swaprail.db.leases import read_order
from swaprail.domain.lifecycle import Status
from swaprail.domain.orders import LeasedOrder
from swaprail.domain.quotes import Quote, Route, Routing
from swaprail.messages.topics import HandedOver, OrderEvent, OrderEvents, OrdersAccepted, OrdersRouted, Topic
from tests.simulation.clock import VirtualTime
from tests.simulation.tables import Row, Tables

STATUSES = ("ROUTING", "BUILDING", "SUBMITTED", "CONFIRMED", "FAILED")
SIGNED = msgspec.Raw(b'{"signature":"forged"}')

_TAKEN_FROM = {"ROUTING": Topic.ACCEPTED, "BUILDING": Topic.ROUTED}
MESSAGES: dict[str, Any] = {Topic.ACCEPTED: OrdersAccepted, Topic.ROUTED: OrdersRouted}
HELD_MS = 60_000
CHANGES: tuple[Callable[[LeasedOrder], LeasedOrder], ...] = (
    lambda o: replace(o, input_amount=o.input_amount * 40),
    lambda o: replace(o, wallet="wallet of mallory"),
    lambda o: replace(o, output_mint=o.input_mint, input_mint=o.output_mint),
    lambda o: replace(o, min_output_amount=None if o.min_output_amount else 1),
    lambda o: replace(o, slippage_bps=10_000),
    lambda o: replace(o, attempts=o.attempts + 2),
    lambda o: replace(o, queued_at=o.queued_at - timedelta(hours=1)),
    lambda o: replace(o, expires_at=o.queued_at),
    lambda o: replace(o, expires_at=o.queued_at + timedelta(hours=1)),
    lambda o: replace(o, routing=_route(o)),
    lambda o: replace(o, status=Status.SUBMITTED),
    lambda o: replace(o, fence=o.fence + 1),
    lambda o: replace(o, fence=max(0, o.fence - 1)),
    lambda o: replace(o, fence=o.fence + 1_000),
)


def forge_orders(rng: Random, topic: str, body: bytes) -> tuple[str, bytes]:
    """Return a message of one of the orders, with a thing or two changed, or of what routers have not yet decided."""
    item = rng.choice(msgspec.json.decode(body, type=MESSAGES[topic]).orders)
    order = item.order
    if topic == Topic.ACCEPTED and rng.random() < 0.4:
        topic, order = str(Topic.ROUTED), replace(order, status=Status.BUILDING, fence=order.fence + 1)
        order = replace(order, routing=_route(order))
    for change in rng.sample(CHANGES, rng.randrange(3)):
        order = change(order)
    return topic, msgspec.json.encode(MESSAGES[topic]([HandedOver(order, item.until + rng.choice((0, HELD_MS)))]))


def _route(order: LeasedOrder) -> msgspec.Raw:
    quote = Quote("raydium", order.input_amount, 1, 0, 0, 1, VirtualTime.time())
    return msgspec.Raw(msgspec.json.encode(Routing(Route("raydium", quote, 1), [])))


def forge_events(publish: Callable[[str, bytes], None], rng: Random, tables: Tables) -> None:
    """Publish an event of each order that is true in nothing but the order's id, and one of no order."""
    none: Row = {"id": UUID(int=rng.getrandbits(128)), "seq": 0, "account": "local", "wallet": "wallet 0"}
    events = [_forged(rng, order) for order in (*tables.orders.values(), none)]
    publish(str(Topic.EVENTS), msgspec.json.encode(OrderEvents(events)))


def forge_leases(publish: Callable[[str, bytes], None], now_ms: int, tables: Tables) -> None:
    """Hand each order that a worker holds to another one, as it is and with its very fence: nobody wrote that message."""
    for order in tables.orders.values():
        topic = _TAKEN_FROM.get(order["status"])
        if topic is not None and order["closed_at"] is None and order["lease_owner"] not in (None, "message"):
            handed = HandedOver(read_order(order), now_ms + HELD_MS)
            publish(str(topic), msgspec.json.encode(MESSAGES[topic]([handed])))


def _forged(rng: Random, order: Row) -> OrderEvent:
    seq = order["seq"] + rng.choice((0, 1, 1, 1, 2, 10**9))
    account, wallet = rng.choice(((order["account"], order["wallet"]), ("another", "wallet 1")))
    return OrderEvent(order["id"], seq, rng.choice(STATUSES), rng.getrandbits(40), account, wallet, SIGNED)
