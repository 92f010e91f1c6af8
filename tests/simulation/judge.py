"""The invariants, on the virtual tables and the virtual chain's ledger, which alone tells what was executed."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Any
from uuid import UUID

import msgspec
from msgspec import json

from swaprail.db.horizons import Scan
from swaprail.domain.errors import ErrorCode
from swaprail.domain.lifecycle import TERMINAL, Status, is_legal_history
from swaprail_api.schemas.orders import OrderView
from tests.simulation.chain import Transaction, VirtualChain
from tests.simulation.clients import Traders
from tests.simulation.clock import milliseconds
from tests.simulation.tables import Row, Tables, holds_the_order
from tests.simulation.topics import Topics

_TERMS = ("wallet", "input_mint", "output_mint", "input_amount")


def judge(
    tables: Tables, chain: VirtualChain, traders: Traders, topics: Topics, *, may_reconcile: bool = False
) -> list[str]:
    """Return every invariant that is broken, each with its number and its order.

    may_reconcile: a node goes on lying, so an order may stay without its end, as long as it says so.
    """
    landed: dict[UUID, list[Transaction]] = defaultdict(list)
    for transaction in chain.transactions.values():
        if transaction.height is not None:
            landed[transaction.order_id].append(transaction)
    broken = [
        *(f"I1 {i} was accepted and is lost" for i in traders.accepted if i not in tables.orders),
        *(f"I1 {i} was executed and is no order" for i in landed if i not in tables.orders),
        *(f"I12 {write}" for write in tables.stale_writes),
        *(f"I9 {passed}" for passed in tables.passed_by if passed.startswith(Scan.OPEN)),
        *chain.broken,
        *_otherwise(chain, tables, traders),
        *_keys(tables, traders),
        *_subscribers(tables, traders),
        *([f"I10 {topics.unread} entries are not read"] if topics.unread else []),
    ]
    for order in tables.orders.values():
        broken += _order(tables, order, landed[order["id"]])
        if not is_over(order) and not (may_reconcile and order["reconciling_since"]):
            broken.append(f"I9 {order['id']} is {order['status']}")
    return broken


def _otherwise(chain: VirtualChain, tables: Tables, traders: Traders) -> Iterator[str]:
    """Yield what the chain was sent, landed or not, and nobody has ordered, by the table and by who posted it."""
    posted = {view.order_id: view for _, _, view in traders.answers if isinstance(view, OrderView)}
    for transaction in chain.transactions.values():
        sent, order, view = transaction.terms, tables.orders.get(transaction.order_id), posted.get(transaction.order_id)
        assert sent is not None, "the chain reads the terms of whatever it receives"
        done = (sent.wallet, sent.input_mint, sent.output_mint, sent.input_amount)
        if order is not None and done != tuple(order[name] for name in _TERMS):
            yield f"I14 {sent.order_id} was sent as {done}"
        if order is not None and sent.least_output < (order["min_output_amount"] or 0):
            yield f"I14 {sent.order_id} was sent for {sent.least_output} at least, not {order['min_output_amount']}"
        if view is not None and done != (
            view.user_wallet,
            view.input_mint,
            view.output_mint,
            int(view.input_amount_base),
        ):
            yield f"I14 {sent.order_id} was sent as {done}, and posted as {view}"


def is_over(order: Row) -> bool:
    """Tell whether nothing is to be done with the order any more; one that waits to be started is over as well."""
    return Status(order["status"]) in TERMINAL or (order["queued_at"] is None and order["expires_at"] is None)


def is_open(order: Row, since: datetime | None) -> bool:
    """Tell whether the order has said since then that it reconciles; None: that is no excuse."""
    return since is not None and order["reconciling_since"] is not None and order["reconciling_since"] <= since


def _tells_amount(tables: Tables, order: Row, output: int | None) -> bool:
    """Tell whether the order's amount is the ledger's, or is openly not sure."""
    told = json.decode(tables.events[order["id"]][-1]["data"])
    return order["output_amount"] == output or told.get("amountConfirmed") is False


def _order(tables: Tables, order: Row, landed: list[Transaction]) -> Iterator[str]:
    name, status = order["id"], order["status"]
    done = [t for t in landed if t.error is None]
    if len(done) > 1:
        yield f"I2 {name} executed {len(done)} times"
    if len(landed) > 1:
        yield f"I2 {name} landed {len(landed)} times"
    if is_over(order) and (status == "CONFIRMED") != bool(done):
        yield f"I3 {name} is {status} and executed {len(done)} times"
    if done and status == "CONFIRMED" and not _tells_amount(tables, order, done[0].output):
        yield f"I13 {name} got {done[0].output}, not {order['output_amount']}"
    if any(t.output is not None and t.output < (order["min_output_amount"] or 0) for t in done):
        yield f"I14 {name} got {done[0].output}, and asked for {order['min_output_amount']} at least"
    if order["failure"] is not None and json.decode(order["failure"])["fundsMoved"] != ("yes" if done else "no"):
        yield f"I3 {name} was executed {len(done)} times, and tells {order['failure']}"
    if (order["closed_at"] is not None) != (Status(status) in TERMINAL):
        yield f"I6 {name} is {status}, closed at {order['closed_at']}"
    if order["closed_at"] is not None and order["lease_until"] is not None:
        yield f"I10 {name} is closed and leased"
    yield from _history(tables, order)
    yield from _attempts(tables, order)


def _history(tables: Tables, order: Row) -> Iterator[str]:
    events = tables.events[order["id"]]
    seqs, statuses = [e["seq"] for e in events], [Status(e["status"]) for e in events]
    if seqs != list(range(1, order["seq"] + 1)) or statuses[-1] != order["status"]:
        yield f"I6 {order['id']} at {order['seq']} {order['status']} has the events {seqs} {statuses}"
    if not is_legal_history(statuses):
        yield f"I6 {order['id']} went {[str(s) for s in statuses]}"


def _attempts(tables: Tables, order: Row) -> Iterator[str]:
    attempts = tables.attempts.get(order["id"], [])
    if any(holds_the_order(a) for a in attempts[:-1]):
        yield f"I5 {order['id']} has the attempts {[a['state'] for a in attempts]}"
    if any(a["state"] == "EXPIRED" and a["evidence"] is None for a in attempts):
        yield f"I5 {order['id']} has an attempt that expired without proof"
    live = [a for a in attempts if a["state"] == "LIVE"]
    if (order["status"] == "SUBMITTED") != bool(live):
        yield f"I5 {order['id']} is {order['status']} with {len(live)} live attempts"
    if len(attempts) != order["attempts"]:
        yield f"I5 {order['id']} counts {order['attempts']} of {len(attempts)} attempts"


def _keys(tables: Tables, traders: Traders) -> Iterator[str]:
    views: dict[str, list[OrderView]] = defaultdict(list)
    for key, body, outcome in traders.answers:
        if isinstance(outcome, OrderView):
            views[key].append(outcome)
            if str(body.input_amount) != outcome.input_amount:
                yield f"I8 {key}: {body.input_amount} was answered with an order of {outcome.input_amount}"
        elif outcome not in (ErrorCode.IDEMPOTENCY_KEY_REUSED, ErrorCode.EXPIRY_IN_PAST):
            yield f"I8 {key} was answered {outcome}"
    for key, same in views.items():
        if any(view != same[0] for view in same):
            yield f"I8 {key} was answered with different orders"
    amounts = Counter(order["input_amount"] for order in tables.orders.values() if order["input_amount"] < 99 * 10**9)
    yield from (f"I8 {n} orders of one key" for n in amounts.values() if n > 1)


def _subscribers(tables: Tables, traders: Traders) -> Iterator[str]:
    for subscriber in traders.subscribers:
        stored = [_stored(event) for event in tables.events.get(subscriber.order_id, ())]
        if stored and subscriber.messages != stored:
            told, step = next(pair for pair in zip_longest(subscriber.messages, stored) if pair[0] != pair[1])
            yield f"I7 {subscriber.order_id} was told {told}, not {step}"


def _stored(event: Row) -> dict[str, Any]:
    """Return what a subscriber is to be told of a step."""
    at = datetime.fromtimestamp(milliseconds(event["at"]) / 1000, UTC)
    return {
        "type": "status",
        "orderId": str(event["order_id"]),
        "seq": event["seq"],
        "status": str(event["status"]),
        "timestamp": at.isoformat().replace("+00:00", "Z"),
        "data": msgspec.json.decode(event["data"]),
    }
