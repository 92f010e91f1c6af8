"""Reading orders, lists and events; what others own does not exist."""

from typing import Any
from urllib.parse import quote

import asyncpg
import pytest

ORDER = {"userWallet": "alice", "inputToken": "SOL", "outputToken": "USDC", "inputAmount": "1.5"}
ROUTING = """{"route": {"venue": "raydium", "least_output": 0, "leastOutput": 148000000, "quote": {"venue": "raydium",
"inputAmount": 1500000000, "outputAmount": 149500000, "feeBps": 25, "priceImpactBps": 3, "slot": 9, "quotedAt": 1.5,
"durationMs": 201.5}}, "quotes": [{"venue": "raydium", "quote": {"venue": "raydium", "inputAmount": 1500000000,
"outputAmount": 149500000, "feeBps": 25, "priceImpactBps": 3, "slot": 9, "quotedAt": 1.5, "durationMs": 201.5}},
{"venue": "meteora", "discarded": "late", "detail": "no answer in time"}], "rounds": 1}"""


async def confirm(db: asyncpg.Connection, order_id: str) -> None:
    await db.execute(
        "update orders set status = 'CONFIRMED', seq = 5, routing = $2, output_amount = 149400000, closed_at = now(),"
        " queued_at = created_at where id = $1",
        order_id,
        ROUTING,
    )
    await db.executemany(
        "insert into order_events (order_id, seq, status, data, at) values ($1, $2::int4, $3, '{}', now() + $2::int4 * interval '1 s')",
        [(order_id, n + 2, s) for n, s in enumerate(["ROUTING", "BUILDING", "SUBMITTED", "CONFIRMED"])],
    )
    await db.execute(
        "insert into tx_attempts (order_id, attempt, signature, raw, message_sha256, blockhash, last_valid_block_height,"
        " fence, venue, state, slot, evidence) values"
        " ($1, 1, 'old', '', '', 'h', 10, 1, 'raydium', 'EXPIRED', null, '{}'),"
        " ($1, 2, 'new', '', '', 'h', 9223372036854775807, 1, 'raydium', 'LANDED', 7, null)",
        order_id,
    )


async def test_whole_story_is_told_when_an_order_is_confirmed(api: Any, db: asyncpg.Connection) -> None:
    order_id = await api.place()
    await confirm(db, order_id)
    order = (await api.get(f"/api/orders/{order_id}")).json()
    assert order["status"] == "CONFIRMED"
    assert (order["outputAmount"], order["outputAmountBase"], order["signature"]) == ("149.4", "149400000", "new")
    assert list(order["timestamps"]) == ["PENDING", "ROUTING", "BUILDING", "SUBMITTED", "CONFIRMED"]
    assert order["route"] == {
        "venue": "raydium",
        "outputAmount": "149.5",
        "outputAmountBase": "149500000",
        "leastOutput": "148",
        "leastOutputBase": "148000000",
        "feeBps": 25,
        "priceImpactBps": 3,
    }
    assert order["quotes"][0] == {
        "venue": "raydium",
        "inputAmount": "1.5",
        "inputAmountBase": "1500000000",
        "outputAmount": "149.5",
        "outputAmountBase": "149500000",
        "feeBps": 25,
        "priceImpactBps": 3,
        "durationMs": 201.5,
    }
    assert order["quotes"][1] == {"venue": "meteora", "discarded": "late", "detail": "no answer in time"}
    assert [(a["attempt"], a["signature"], a["state"], a["lastValidBlockHeight"]) for a in order["attempts"]] == [
        (1, "old", "EXPIRED", 10),
        (2, "new", "LANDED", None),  # the nodes were not agreed on it
    ]


@pytest.mark.parametrize("routing", ["[]", "{}", '{"route": {"venue": "raydium"}}', r'{"quotes": "\ud800"}'])
async def test_the_order_is_told_without_its_route_when_that_cannot_be_read(
    api: Any, db: asyncpg.Connection, routing: str
) -> None:
    order_id = await api.place()
    await confirm(db, order_id)
    await db.execute("update orders set routing = $1", routing)
    order = (await api.get(f"/api/orders/{order_id}")).json()
    assert (order["status"], order["route"], order["quotes"]) == ("CONFIRMED", None, [])
    assert len(order["attempts"]) == 2


@pytest.mark.parametrize(
    ("stored", "told"),
    [
        ('{"code": "of_another_version", "fundsMoved": "no"}', {"code": "of_another_version", "fundsMoved": "no"}),
        ('["no failure"]', None),
        (r'"\ud800"', None),
    ],
)
async def test_a_failure_that_cannot_be_read_is_told_as_it_is_when_it_is_an_object(
    api: Any, db: asyncpg.Connection, stored: str, told: Any
) -> None:
    order_id = await api.place()
    await db.execute("update orders set status = 'FAILED', failure = $1", stored)
    order = (await api.get(f"/api/orders/{order_id}")).json()
    (listed,) = (await api.get("/api/orders/user/alice")).json()["orders"]
    assert (order["status"], order["failure"], listed["failure"]) == ("FAILED", told, told)


async def test_failure_is_told_when_an_order_failed(api: Any, db: asyncpg.Connection) -> None:
    order_id = await api.place()
    failure = (
        '{"code": "no_route", "stage": "routing", "retryable": true, "fundsMoved": "no", "hint": "h", "detail": "d"}'
    )
    await db.execute("update orders set status = 'FAILED', failure = $1, reconciling_since = now()", failure)
    order = (await api.get(f"/api/orders/{order_id}")).json()
    assert order["failure"]["fundsMoved"] == "no"
    assert order["reconciling"] is True


async def test_events_are_those_after_a_seq_when_asked(api: Any, db: asyncpg.Connection) -> None:
    order_id = await api.place()
    await confirm(db, order_id)
    events = (await api.get(f"/api/orders/{order_id}/events", after=3)).json()["events"]
    assert [(e["type"], e["orderId"], e["seq"], e["status"], e["data"]) for e in events] == [
        ("status", order_id, 4, "SUBMITTED", {}),
        ("status", order_id, 5, "CONFIRMED", {}),
    ]
    assert (await api.get(f"/api/orders/{order_id}/events", after=9)).json() == {"events": []}
    assert (await api.get(f"/api/orders/{order_id}/events", after=-1)).json()["errors"][0]["field"] == "after"


async def test_every_order_comes_once_newest_first_when_paging(api: Any, db: asyncpg.Connection) -> None:
    ids = [await api.place() for _ in range(7)]
    await api.place(userWallet="bob")
    seen, cursor = [], None
    while True:
        page = (await api.get("/api/orders/user/alice", limit=3, **({"cursor": cursor} if cursor else {}))).json()
        seen += [order["orderId"] for order in page["orders"]]
        cursor = page["nextCursor"]
        if cursor is None:
            break
    assert seen == ids[::-1]
    await db.execute("update orders set status = 'FAILED' where id = any($1::text[]::uuid[])", ids[:2])
    failed = (await api.get("/api/orders/user/alice", status="FAILED")).json()["orders"]
    assert [order["orderId"] for order in failed] == ids[1::-1]


async def test_list_is_found_when_the_wallet_has_odd_characters(api: Any) -> None:
    for wallet in ("a/b", "ä%2F?", "x y"):
        await api.place(userWallet=wallet)
        page = (await api.get(f"/api/orders/user/{quote(wallet, safe='')}")).json()
        assert [order["userWallet"] for order in page["orders"]] == [wallet]


async def test_400_when_a_cursor_is_forged_or_of_another_list(api: Any) -> None:
    for _ in range(3):
        await api.place()
        await api.place(userWallet="bob")
    cursor = (await api.get("/api/orders/user/alice", limit=1)).json()["nextCursor"]
    flipped = ("B" if cursor[0] == "A" else "A") + cursor[1:]
    for path, params in (
        ("/api/orders/user/alice", {"cursor": flipped}),
        ("/api/orders/user/alice", {"cursor": cursor[:-4]}),
        ("/api/orders/user/alice", {"cursor": ""}),
        ("/api/orders/user/alice", {"cursor": "ü"}),
        ("/api/orders/user/bob", {"cursor": cursor}),
        ("/api/orders/user/alice", {"cursor": cursor, "status": "PENDING"}),
    ):
        answer = await api.get(path, **params)
        assert (answer.status_code, answer.json()["code"]) == (400, "cursor_invalid")


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "status=NOPE", "limt=5", "limit=1&limit=2"])
async def test_400_when_a_parameter_is_wrong(api: Any, query: str) -> None:
    answer = await api.http.get(f"/api/orders/user/alice?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")
    assert answer.json()["errors"][0]["field"]
