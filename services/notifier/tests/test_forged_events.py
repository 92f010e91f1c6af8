"""What is told when the topic says what the table does not: what the table says, and no later for it."""

import asyncio
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest

from swaprail.messages.topics import OrderEvent
from swaprail_notifier import metrics

# Whoever writes to Redis writes what it likes. The comparison, which would find the truth, is far away.
FAR_S = 60
FORGERIES: dict[str, dict[str, Any]] = {
    "status": {"status": "CONFIRMED"},
    "data": {"data": msgspec.Raw(b'{"signature":"forged"}')},
    "time": {"at": 1},
    "too far": {"seq": 10**9},
    "beyond 32 bits": {"seq": 2**40},
    "not a step": {"seq": -1},
    "account": {"account": "acme"},
    "wallet": {"wallet": "w2"},
}


def read_orders() -> float:
    """Return how many orders were read because an event named them."""
    return float(metrics.NAMED._value.get())


async def stored(engine: Any, order_id: UUID) -> list[tuple[int, str, int, Any]]:
    sql = "select seq, status, floor(extract(epoch from at) * 1000)::bigint as at, data from order_events where order_id = $1"
    rows = await engine.fetch(f"{sql} order by seq", order_id)
    return [(row["seq"], row["status"], row["at"], msgspec.json.decode(row["data"])) for row in rows]


def told(client: Any) -> list[tuple[int, str, int, Any]]:
    return [(m["seq"], m["status"], milliseconds(m["timestamp"]), m["data"]) for m in client.seen]


def milliseconds(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES.keys())
async def test_followers_are_told_what_the_table_has_when_an_event_says_otherwise(
    serve: Any, engine: Any, forgery: dict[str, Any]
) -> None:
    running = await serve(ws_compare_interval_s=FAR_S)
    first = await engine.post()
    clients = [await running.connect(path) for path in (f"/ws/orders/{first.order_id}", "/ws/wallets/w1")]
    for client in clients:
        await client.read(1)
    second = OrderEvent(first.order_id, 2, "ROUTING", first.at + 5, first.account, first.wallet)
    await engine.tell(msgspec.structs.replace(second, **forgery))
    assert await clients[0].is_quiet()
    assert await clients[1].is_quiet()
    await engine.run(first)
    for client in clients:
        await client.read(5, within_s=2)
        assert told(client) == await stored(engine, first.order_id)


async def test_a_new_order_is_told_as_the_table_has_it_when_its_first_event_is_forged(serve: Any, engine: Any) -> None:
    running = await serve(ws_compare_interval_s=FAR_S)
    client = await running.connect("/ws/wallets/w1")
    first = await engine.post(tell=False)
    await engine.tell(msgspec.structs.replace(first, status="FAILED", at=1))
    await client.read(1, within_s=2)
    assert told(client) == await stored(engine, first.order_id)


async def test_nobody_is_told_when_an_event_names_an_order_that_is_none(serve: Any, engine: Any) -> None:
    running = await serve(ws_compare_interval_s=FAR_S)
    client = await running.connect("/ws/wallets/w1")
    real = await engine.post(tell=False)
    none = [msgspec.structs.replace(real, order_id=UUID(int=real.order_id.int + n)) for n in range(1, 2_000)]
    await engine.tell(*none)
    await engine.tell(real)
    assert [message["orderId"] for message in await client.read(1, within_s=2)] == [str(real.order_id)]
    assert await client.is_quiet()
    assert set(running.notifier.hub.orders) == {real.order_id}


async def test_another_accounts_order_is_not_told_when_an_event_gives_it_to_a_followed_wallet(
    serve: Any, engine: Any
) -> None:
    running = await serve(ws_compare_interval_s=FAR_S)
    client = await running.connect("/ws/wallets/w1")
    theirs = await engine.post(account="acme", wallet="secret", tell=False)
    await engine.tell(msgspec.structs.replace(theirs, account="local", wallet="w1"))
    mine = await engine.post()
    assert (await client.read(1))[0]["orderId"] == str(mine.order_id)
    assert await client.is_quiet()
    refused = await running.refused(f"/ws/orders/{theirs.order_id}")
    assert refused.status_code == 404


async def test_an_order_is_read_once_an_event_when_its_events_name_steps_that_never_come(
    serve: Any, engine: Any
) -> None:
    running = await serve(ws_compare_interval_s=FAR_S)
    first = await engine.post()
    client = await running.connect(f"/ws/orders/{first.order_id}")
    await client.read(1)
    before = read_orders()
    for _ in range(3):
        await engine.tell(msgspec.structs.replace(first, seq=10**9))
        assert await client.is_quiet(0.1)
    assert 1 <= read_orders() - before <= 3


@pytest.mark.parametrize("steps", [3, 5])
async def test_followers_are_sent_back_and_told_the_table_when_a_failover_has_lost_a_step(
    serve: Any, engine: Any, steps: int
) -> None:
    running = await serve(ws_compare_interval_s=FAR_S)
    first = await engine.post()
    paths = (f"/ws/orders/{first.order_id}", "/ws/wallets/w1?after=0")
    clients = [await running.connect(path) for path in paths]
    events = await engine.run(first, until=steps)
    await asyncio.gather(*(client.read(steps) for client in clients))
    before = float(metrics.UNDONE._value.get())
    await engine.undo(events[-1])
    await running.notifier._comparison.compare()
    assert [await client.close_code() for client in clients] == [1012, 1012]
    assert metrics.UNDONE._value.get() - before == 1
    again = [await running.connect(path) for path in paths]
    for client in again:
        await client.read(steps - 1)
        assert told(client) == await stored(engine, first.order_id)


async def test_followers_are_sent_back_when_a_failover_has_lost_a_step_and_another_took_its_place(
    serve: Any, engine: Any
) -> None:
    running = await serve(ws_compare_interval_s=0.1)
    first = await engine.post()
    client = await running.connect(f"/ws/orders/{first.order_id}")
    await client.read(1)
    await engine.execute("update order_events set status = 'CANCELLED' where order_id = $1", first.order_id)
    await engine.execute("update orders set status = 'CANCELLED' where id = $1", first.order_id)
    assert await client.close_code() == 1012


async def test_followers_are_sent_back_when_the_order_went_on_from_another_step_than_they_were_told(
    serve: Any, engine: Any
) -> None:
    running = await serve(ws_compare_interval_s=FAR_S)
    first = await engine.post()
    client = await running.connect(f"/ws/orders/{first.order_id}")
    await client.read(1)
    await engine.execute("update order_events set at = at + interval '1 s' where order_id = $1", first.order_id)
    await engine.move(first)
    assert await client.close_code() == 1012
    assert client.seen[-1]["seq"] == 1
