"""Placing orders: what is answered, what is stored, what is published."""

from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from swaprail.messages.topics import HANDOVER_S

ORDER = {"userWallet": "alice", "inputToken": "SOL", "outputToken": "USDC", "inputAmount": "1.5"}


async def test_an_order_waits_when_it_is_placed(api: Any, db: asyncpg.Connection) -> None:
    answer = await api.post("/api/orders", ORDER | {"minOutputAmount": 100, "expiresAt": "2999-01-01T02:00:00+02:00"})
    assert answer.status_code == 201
    order = answer.json()
    assert answer.headers["location"] == f"/api/orders/{order['orderId']}"
    assert order.pop("createdAt").endswith("Z")
    assert order == {
        "orderId": order["orderId"],
        "userWallet": "alice",
        "inputToken": "SOL",
        "inputMint": "So11111111111111111111111111111111111111112",
        "outputToken": "USDC",
        "outputMint": "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v",
        "inputAmount": "1.5",
        "inputAmountBase": "1500000000",
        "slippageBps": 50,
        "minOutputAmount": "100",
        "minOutputAmountBase": "100000000",
        "status": "PENDING",
        "seq": 1,
        "reconciling": False,
        "queuedAt": None,
        "closedAt": None,
        "expiresAt": "2999-01-01T00:00:00Z",
        "outputAmount": None,
        "outputAmountBase": None,
        "signature": None,
        "failure": None,
    }
    row = await db.fetchrow("select queued_at, due_at, status, seq, account from orders")
    assert row is not None
    assert tuple(row) == (None, None, "PENDING", 1, "local")
    events = await db.fetch("select seq, status, data from order_events")
    assert [tuple(event) for event in events] == [(1, "PENDING", "{}")]


async def test_an_order_is_queued_when_it_is_executed(api: Any, db: asyncpg.Connection) -> None:
    answer = await api.post("/api/orders/execute", ORDER)
    assert answer.status_code == 202
    assert answer.json()["queuedAt"] == answer.json()["createdAt"]
    row = await db.fetchrow("select status, seq, fence, lease_owner, lease_until - queued_at from orders")
    assert row is not None
    assert tuple(row) == ("ROUTING", 2, 1, "message", timedelta(seconds=HANDOVER_S))
    events = await db.fetch("select seq, status from order_events order by seq")
    assert [tuple(event) for event in events] == [(1, "PENDING"), (2, "ROUTING")]


@pytest.mark.parametrize(
    ("sent", "prefix"),
    [("/swaprail", "/swaprail"), ("/a/b.c/", "/a/b.c"), ("//evil.example", ""), ("/a//b", ""), ("https://evil", "")],
)
async def test_location_has_the_prefix_that_a_proxy_took_away(api: Any, sent: str, prefix: str) -> None:
    for path in ("/api/orders", "/api/orders/execute"):
        answer = await api.post(path, ORDER, X_Forwarded_Prefix=sent)
        assert answer.headers["location"] == f"{prefix}/api/orders/{answer.json()['orderId']}"
