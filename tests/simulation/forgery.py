"""Somebody who can write to Redis tells notifiers of steps that never were."""

from collections.abc import Callable
from random import Random
from uuid import UUID

import msgspec

from swaprail.messages.topics import OrderEvent, OrderEvents, Topic
from tests.simulation.tables import Row, Tables

STATUSES = ("ROUTING", "BUILDING", "SUBMITTED", "CONFIRMED", "FAILED")
SIGNED = msgspec.Raw(b'{"signature":"forged"}')


def forge_events(publish: Callable[[str, bytes], None], rng: Random, tables: Tables) -> None:
    """Publish an event of each order that is true in nothing but the order's id, and one of no order."""
    none: Row = {"id": UUID(int=rng.getrandbits(128)), "seq": 0, "account": "local", "wallet": "wallet 0"}
    events = [_forged(rng, order) for order in (*tables.orders.values(), none)]
    publish(str(Topic.EVENTS), msgspec.json.encode(OrderEvents(events)))


def _forged(rng: Random, order: Row) -> OrderEvent:
    seq = order["seq"] + rng.choice((0, 1, 1, 1, 2, 10**9))
    account, wallet = rng.choice(((order["account"], order["wallet"]), ("another", "wallet 1")))
    return OrderEvent(order["id"], seq, rng.choice(STATUSES), rng.getrandbits(40), account, wallet, SIGNED)
