"""What a follower of one order is told."""

import asyncio
from typing import Any

import msgspec

from swaprail.messages.topics import OrderEvent


async def test_follower_gets_the_history_then_live_steps_when_connecting_late(serve: Any, engine: Any) -> None:
    running = await serve()
    posted = await engine.post()
    events = await engine.run(posted, until=2)
    client = await running.connect(f"/ws/orders/{posted.order_id}")
    assert await client.seqs(2) == [1, 2]
    await engine.run(events[-1])
    messages = await client.read(5)
    assert [message["seq"] for message in messages] == [1, 2, 3, 4, 5]
    assert messages[4]["status"] == "CONFIRMED"
    assert messages[4] == {
        "type": "status",
        "orderId": str(posted.order_id),
        "seq": 5,
        "status": "CONFIRMED",
        "timestamp": messages[4]["timestamp"],
        "data": {"step": 5},
    }
    assert await client.is_quiet()


async def test_follower_gets_only_later_steps_when_resuming(serve: Any, engine: Any) -> None:
    running = await serve()
    events = await engine.run(await engine.post(), until=4)
    client = await running.connect(f"/ws/orders/{events[0].order_id}?after=3")
    assert await client.seqs(1) == [4]
    await engine.move(events[-1])
    assert await client.seqs(2) == [4, 5]


async def test_second_replica_goes_on_without_repeating_when_it_knows_less_than_the_client(
    serve: Any, engine: Any
) -> None:
    running = await serve(ws_compare_interval_s=60)
    posted = await engine.post()
    first = await running.connect(f"/ws/orders/{posted.order_id}")
    await first.read(1)
    events = await engine.run(posted, until=3, tell=False)
    second = await running.connect(f"/ws/orders/{posted.order_id}?after=3")
    await engine.tell(await engine.move(events[-1], tell=False))
    assert await second.seqs(1) == [4]
    assert await first.seqs(4) == [1, 2, 3, 4]


async def test_steps_are_dense_when_the_topic_repeats_loses_and_reorders(serve: Any, engine: Any) -> None:
    running = await serve()
    posted = await engine.post(tell=False)
    client = await running.connect(f"/ws/orders/{posted.order_id}")
    one, two, three, four, five = await engine.run(posted, tell=False)
    await engine.tell(three, one, one)
    await engine.tell(five)
    await engine.tell(two, two, five)
    assert await client.seqs(5) == [1, 2, 3, 4, 5]
    assert four.seq == 4
    assert await client.is_quiet()


async def test_everything_arrives_within_two_seconds_when_the_topic_tells_nothing(serve: Any, engine: Any) -> None:
    running = await serve()
    posted = await engine.post(tell=False)
    client = await running.connect(f"/ws/orders/{posted.order_id}")
    await engine.run(posted, tell=False)
    assert await client.seqs(5, within_s=2) == [1, 2, 3, 4, 5]


async def test_everything_arrives_within_two_seconds_when_redis_is_absent(serve: Any, engine: Any) -> None:
    running = await serve(redis_url="redis://127.0.0.1:1/0")
    posted = await engine.post(tell=False)
    client = await running.connect(f"/ws/orders/{posted.order_id}")
    await client.read(1)
    await engine.run(posted, tell=False)
    assert await client.seqs(5, within_s=2) == [1, 2, 3, 4, 5]
    report = await running.notifier.readiness()
    assert report.ready
    assert not report.checks["redis"].ok


async def test_follower_misses_nothing_when_redis_is_killed_and_comes_back(
    serve: Any, engine: Any, own_valkey: Any
) -> None:
    comparing = await serve(redis_url=own_valkey.url)
    fed_only = await serve(redis_url=own_valkey.url, ws_compare_interval_s=60)
    posted = await engine.post(tell=False)
    clients = [await running.connect(f"/ws/orders/{posted.order_id}") for running in (comparing, fed_only)]
    await asyncio.to_thread(own_valkey.stop)
    events = await engine.run(posted, tell=False)
    assert await clients[0].seqs(5, within_s=2) == [1, 2, 3, 4, 5]
    await asyncio.to_thread(own_valkey.start)
    telling = asyncio.create_task(engine.tell_until_cancelled(own_valkey.url, events[-1]))
    assert await clients[1].seqs(5, within_s=15) == [1, 2, 3, 4, 5]
    telling.cancel()
    assert await clients[0].is_quiet()


async def test_feed_goes_on_when_redis_was_flushed(serve: Any, engine: Any) -> None:
    running = await serve(ws_compare_interval_s=60)
    posted = await engine.post()
    client = await running.connect(f"/ws/orders/{posted.order_id}")
    second = await engine.move(posted)
    await client.read(2)
    await engine.flush()
    await engine.run(second)
    assert await client.seqs(5) == [1, 2, 3, 4, 5]


async def test_feed_goes_on_when_the_topic_holds_what_is_no_message(serve: Any, engine: Any) -> None:
    running = await serve(ws_compare_interval_s=60)
    posted = await engine.post()
    client = await running.connect(f"/ws/orders/{posted.order_id}")
    await engine.tell_raw(b"\xff not json")
    await engine.tell_raw(b'{"events": 3}')
    await engine.move(posted)
    assert await client.seqs(2) == [1, 2]


async def test_all_followers_see_the_same_bytes_when_many_follow_many_orders(serve: Any, engine: Any) -> None:
    running = await serve()
    posted = [await engine.post() for _ in range(5)]
    clients = await asyncio.gather(*(running.connect(f"/ws/orders/{posted[n % 5].order_id}") for n in range(40)))
    await asyncio.gather(*(client.read(1) for client in clients))
    for event in posted:
        await engine.run(event)
    await asyncio.gather(*(client.read(5) for client in clients))
    assert all(client.is_dense() for client in clients)
    assert len({msgspec.json.encode(client.seen) for client in clients}) == 5


async def test_nothing_is_missed_when_connecting_while_the_order_moves(serve: Any, engine: Any) -> None:
    running = await serve()

    async def follow(event: OrderEvent) -> Any:
        client = await running.connect(f"/ws/orders/{event.order_id}")
        await client.read(5)
        return client

    posted = [await engine.post() for _ in range(20)]
    following = [asyncio.create_task(follow(event)) for event in posted for _ in range(3)]
    for event in posted:
        await engine.run(event)
    clients = await asyncio.gather(*following)
    assert all(client.is_dense() for client in clients)


async def test_hub_holds_nothing_when_everybody_has_left(serve: Any, engine: Any) -> None:
    running = await serve()
    posted = await engine.post()
    clients = [await running.connect(f"/ws/orders/{posted.order_id}"), await running.connect("/ws/wallets/w1?after=0")]
    for client in clients:
        await client.read(1)
        await client.socket.close()
    await running.until(lambda: running.notifier.connections == 0)
    assert not running.notifier.hub.orders
    assert not running.notifier.hub.wallets
