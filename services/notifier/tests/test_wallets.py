"""What a follower of a wallet is told."""

import asyncio
from typing import Any

import asyncpg
import pytest

from swaprail_notifier import stalls


async def test_follower_gets_open_orders_whole_and_new_ones_when_following_a_wallet(serve: Any, engine: Any) -> None:
    running = await serve(ws_compare_interval_s=60)
    done = await engine.run(await engine.post())
    opened = await engine.run(await engine.post(), until=3)
    await engine.post(wallet="other")
    client = await running.connect("/ws/wallets/w1")
    assert await client.seqs(3) == [1, 2, 3]
    later = await engine.run(await engine.post())
    await engine.run(opened[-1])
    messages = await client.read(10)
    assert client.is_dense()
    assert {message["orderId"] for message in messages} == {str(opened[0].order_id), str(later[0].order_id)}
    assert str(done[0].order_id) not in {message["orderId"] for message in messages}
    assert await client.is_quiet()


async def test_follower_gets_closed_orders_later_steps_when_resuming(serve: Any, engine: Any) -> None:
    running = await serve()
    old = await engine.run(await engine.post())
    await engine.execute("update order_events set at = at - interval '1 hour'")
    await engine.execute("update orders set closed_at = closed_at - interval '1 hour'")
    closed = await engine.run(await engine.post())
    opened = await engine.post()
    client = await running.connect(f"/ws/wallets/w1?after={closed[1].at}")
    messages = await client.read(6)
    assert [m["seq"] for m in messages if m["orderId"] == str(closed[0].order_id)] == [1, 2, 3, 4, 5]
    assert messages[-1]["orderId"] == str(opened.order_id)
    assert str(old[0].order_id) not in {message["orderId"] for message in messages}
    # Also after the comparison that comes after: nothing twice.
    assert await client.is_quiet(1.5)
    again = await running.connect(f"/ws/wallets/w1?after={client.seen[-1]['timestamp']}")
    await again.read(6)
    assert await again.is_quiet()


async def test_nothing_is_missed_when_cut_before_an_old_order_was_told_that_closes_meanwhile(
    serve: Any, engine: Any
) -> None:
    running = await serve()
    old = await engine.run(await engine.post(), until=4)
    await engine.execute("update order_events set at = at - interval '1 minute'")
    await engine.run(await engine.post())
    first = await running.connect("/ws/wallets/w1?after=0")
    last = (await first.read(1))[0]
    first.socket.transport.abort()
    assert last["orderId"] != str(old[0].order_id)
    await engine.move(old[-1])
    again = await running.connect(f"/ws/wallets/w1?after={last['timestamp']}")
    await again.read(10)
    assert again.is_dense()


async def test_nothing_is_missed_when_cut_between_closed_orders_that_closed_in_another_order_than_they_came(
    serve: Any, engine: Any
) -> None:
    running = await serve()
    early = await engine.post()
    await engine.run(await engine.post())
    await engine.execute("update orders set closed_at = closed_at - interval '1 minute'")
    await engine.execute("update order_events set at = at - interval '1 minute'")
    await engine.run(early)
    first = await running.connect("/ws/wallets/w1?after=0")
    seen = await first.read(5)
    first.socket.transport.abort()
    again = await running.connect(f"/ws/wallets/w1?after={seen[-1]['timestamp']}")
    await again.read(10)
    assert again.is_dense()


async def test_all_pages_are_sent_once_when_many_orders_were_closed_since(serve: Any, engine: Any) -> None:
    running = await serve()
    await engine.execute("""
        insert into orders (id, account, wallet, input_mint, output_mint, input_symbol, output_symbol, input_decimals,
            output_decimals, input_amount, slippage_bps, status, seq, closed_at)
        select gen_random_uuid(), 'local', 'w1', 'a', 'b', 'A', 'B', 9, 6, 1, 50, 'CANCELLED', 2, now()
        from generate_series(1, 1100)
    """)
    # As if they were posted an hour ago: a random id would be from the future.
    await engine.execute("update orders set id = ('018f' || substr(id::text, 5))::uuid")
    await engine.execute("""
        insert into order_events (order_id, seq, status, data)
        select id, n, case n when 1 then 'PENDING' else 'CANCELLED' end, '{}' from orders, generate_series(1, 2) n
    """)
    client = await running.connect("/ws/wallets/w1?after=0")
    await client.read(2200)
    assert client.is_dense()
    assert len({message["orderId"] for message in client.seen}) == 1100
    assert await client.is_quiet(1.2)


async def test_history_is_sent_at_the_clients_pace_when_it_is_larger_than_what_may_wait(
    serve: Any, engine: Any
) -> None:
    running = await serve()
    await engine.execute("""
        insert into orders (id, account, wallet, input_mint, output_mint, input_symbol, output_symbol, input_decimals,
            output_decimals, input_amount, slippage_bps, status, seq, closed_at)
        select ('018f' || substr(gen_random_uuid()::text, 5))::uuid, 'local', 'w1', 'a', 'b', 'A', 'B', 9, 6, 1, 50,
            'CANCELLED', 1, now() from generate_series(1, 300)
    """)
    await engine.execute("""
        insert into order_events (order_id, seq, status, data)
        select id, 1, 'CANCELLED', json_build_object('padding', repeat('x', 20000)) from orders
    """)
    client = await running.connect("/ws/wallets/w1?after=0")
    await client.read(300)
    assert len({message["orderId"] for message in client.seen}) == 300


async def test_new_orders_arrive_within_two_seconds_when_the_topic_tells_nothing(serve: Any, engine: Any) -> None:
    running = await serve(redis_url="redis://127.0.0.1:1/0")
    client = await running.connect("/ws/wallets/w1")
    late = await running.connect("/ws/wallets/w1")
    posted = [await engine.post(tell=False) for _ in range(3)]
    assert await client.seqs(3, within_s=2) == [1, 1, 1]
    for event in posted:
        await engine.run(event, tell=False)
    await client.read(15, within_s=2)
    await late.read(15)
    assert client.is_dense()
    assert late.is_dense()
    assert await client.is_quiet(1.2)


async def test_two_followers_both_see_all_when_one_joins_between(serve: Any, engine: Any) -> None:
    running = await serve()
    first = await running.connect("/ws/wallets/w1")
    posted = [await engine.post(tell=number % 2 == 0) for number in range(10)]
    second, *events = await asyncio.gather(
        running.connect("/ws/wallets/w1?after=0"), *(asyncio.sleep(0, event) for event in posted)
    )
    for number, event in enumerate(events):
        await engine.run(event, tell=number % 3 != 0)
    for client in (first, second):
        await client.read(50)
        assert client.is_dense()
        assert await client.is_quiet()


@pytest.mark.parametrize("path", ["a/b", "a%2Fb", "a/b/", "a%2fb/"])
async def test_wallet_is_followed_when_a_proxy_has_decoded_its_slash(serve: Any, engine: Any, path: str) -> None:
    running = await serve()
    client = await running.connect(f"/ws/wallets/{path}")
    posted = await engine.post(wallet="a/b")
    assert (await client.read(1))[0]["orderId"] == str(posted.order_id)


async def test_wallet_of_another_account_tells_nothing_when_the_names_are_equal(serve: Any, engine: Any) -> None:
    running = await serve()
    await engine.post(account="acme")
    client = await running.connect("/ws/wallets/w1?after=0")
    await engine.run(await engine.post(account="acme"))
    mine = await engine.post()
    assert (await client.read(1))[0]["orderId"] == str(mine.order_id)
    assert await client.is_quiet(1.2)


async def test_an_order_closed_by_a_commit_that_stalled_is_told_when_resuming_after_later_steps(
    serve: Any, engine: Any, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stalls, "AFTER_OVERLAP_MS", 300)
    running = await serve(ws_compare_interval_s=0.05)
    stalled = await engine.run(await engine.post(), until=4)
    connection: Any = await asyncpg.connect(database)
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute(
        "insert into order_events (order_id, seq, status, data) values ($1, 5, 'CONFIRMED', '{}')", stalled[0].order_id
    )
    await connection.execute(
        "update orders set status = 'CONFIRMED', seq = 5, closed_at = now() where id = $1", stalled[0].order_id
    )
    await running.until(lambda: bool(running.notifier._subscriptions._stalls._stalls))
    first = await running.connect("/ws/wallets/w1")
    later = await engine.post()
    last = (await first.read(5))[-1]
    assert last["orderId"] == str(later.order_id)
    await first.socket.close()
    await transaction.commit()
    await connection.close()
    again = await running.connect(f"/ws/wallets/w1?after={last['timestamp']}")
    seqs = [m["seq"] for m in await again.read(6) if m["orderId"] == str(stalled[0].order_id)]
    assert seqs == [1, 2, 3, 4, 5]
