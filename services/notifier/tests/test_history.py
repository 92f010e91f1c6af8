"""What each statement of the notifier reads: of one order, of one wallet, and who is writing."""

from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from swaprail.db.connect import Database
from swaprail.messages.topics import OrderEvent
from swaprail_notifier import history as module
from swaprail_notifier.history import FoundOrder, History, LaterOrders, LaterPage, OrderNews, lowest_id
from swaprail_notifier.order_log import Step, Told
from swaprail_notifier.wallet_log import ID_SLACK_MS, WalletKey

KEY = WalletKey("local", "w1")
OTHERS = [WalletKey("local", "w2"), WalletKey("acme", "w1")]
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
_CLOSED = """
insert into orders (id, account, wallet, input_mint, output_mint, input_symbol, output_symbol, input_decimals,
    output_decimals, input_amount, slippage_bps, status, seq, queued_at, closed_at)
select id, $1, $2, 'm1', 'm2', 'SOL', 'USDC', 9, 6, 1, 50, 'CONFIRMED', 5, now(), closed_at
from unnest($3::uuid[], $4::timestamptz[]) as t(id, closed_at)
"""


@pytest.fixture
async def history(database: str) -> AsyncIterator[History]:
    # What is read must not come in order by chance, because an index happens to be read.
    connection: Any = await asyncpg.connect(database)
    name = await connection.fetchval("select current_database()")
    for way in ("indexscan", "indexonlyscan", "bitmapscan", "mergejoin", "sort"):
        await connection.execute(f"alter database {name} set enable_{way} = off")
    await connection.close()
    db = Database(database, size=2, timeout_s=5, application="test")
    yield History(db)
    await db.close()


def steps_of(events: Iterable[OrderEvent]) -> list[Step]:
    return [Step(event.seq, event.status, event.at, bytes(event.data)) for event in events]


def told_of(event: OrderEvent, **changes: Any) -> Told:
    return Told(event.order_id, event.seq, event.status, event.at)._replace(**changes)


async def close(engine: Any, key: WalletKey, closed: dict[UUID, datetime]) -> None:
    await engine.execute(_CLOSED, *key, list(closed), list(closed.values()))


async def now_ms(engine: Any) -> int:
    ((now,),) = await engine.fetch("select floor(extract(epoch from clock_timestamp()) * 1000)::bigint")
    return int(now)


async def test_each_order_is_found_with_its_steps_in_order_when_it_exists(engine: Any, history: History) -> None:
    one, other = await engine.post(), await engine.post(account="acme")
    last = await engine.move(one)
    ran = [one, last, *(await engine.run(last))[1:]]
    await engine.execute("update order_events set data = data where seq = 1")  # the first is now the last of the table
    found = await history.orders([other.order_id, uuid4(), one.order_id, other.order_id])
    acme = FoundOrder("acme", steps_of([other]))
    assert found == [acme, None, FoundOrder("local", steps_of(ran)), acme]


async def test_there_are_no_news_when_the_table_has_what_was_told(engine: Any, history: History) -> None:
    one, other = await engine.run(await engine.post()), await engine.post()
    assert await history.news([told_of(one[-1]), told_of(other), Told(uuid4())]) == []


async def test_later_steps_are_news_when_followers_were_told_earlier_ones(engine: Any, history: History) -> None:
    orders = [await engine.run(await engine.post(account=account)) for account in ("local", "acme")]
    news = await history.news([told_of(orders[0][1]), told_of(orders[1][3])])
    assert sorted(news, key=lambda each: each.key, reverse=True) == [
        OrderNews(orders[0][0].order_id, KEY, steps_of(orders[0][2:]), undone=False),
        OrderNews(orders[1][0].order_id, WalletKey("acme", "w1"), steps_of(orders[1][4:]), undone=False),
    ]


async def test_all_steps_are_news_when_followers_were_told_none(engine: Any, history: History) -> None:
    order = await engine.run(await engine.post())
    await engine.execute("update order_events set data = data where seq = 2")
    assert await history.news([Told(order[0].order_id)]) == [
        OrderNews(order[0].order_id, KEY, steps_of(order), undone=False)
    ]


@pytest.mark.parametrize("change", [{"status": "FAILED"}, {"at": 7}])
async def test_what_was_told_is_undone_when_the_table_has_another_step_in_its_place(
    engine: Any, history: History, change: dict[str, Any]
) -> None:
    order = await engine.run(await engine.post())
    (news,) = await history.news([told_of(order[2], **change)])
    assert (news.undone, news.steps) == (True, steps_of(order[3:]))


async def test_what_was_told_is_undone_when_only_the_status_of_the_last_step_differs(
    engine: Any, history: History
) -> None:
    order = await engine.run(await engine.post())
    (news,) = await history.news([told_of(order[-1], status="FAILED")])
    assert (news.undone, news.steps) == (True, [])


async def test_what_was_told_is_undone_when_the_table_has_lost_it(engine: Any, history: History) -> None:
    order = await engine.run(await engine.post(), until=3)
    await engine.undo(order[-1])
    (news,) = await history.news([told_of(order[-1])])
    assert (news.order_id, news.undone, news.steps, news.key) == (order[0].order_id, True, [], KEY)
    gone = Told(uuid4(), 1, "PENDING", 5)
    (news,) = await history.news([gone])
    assert (news.order_id, news.undone, news.steps) == (gone.order_id, True, [])


async def test_a_wallets_open_and_lately_closed_orders_are_found_when_it_is_opened(
    engine: Any, history: History
) -> None:
    now = await now_ms(engine)
    old, slack = lowest_id(now - ID_SLACK_MS - 60_000), lowest_id(now - ID_SLACK_MS + 60_000)
    await close(engine, KEY, {old: EPOCH, slack: EPOCH})
    theirs = [UUID(int=slack.int + number) for number in (1, 2)]
    for key, order_id in zip(OTHERS, theirs, strict=True):
        await close(engine, key, {order_id: EPOCH})
    opened = [(await engine.post()).order_id, (await engine.post()).order_id]
    others = [(await engine.post(wallet=key.wallet, account=key.account)).order_id for key in OTHERS]
    found, later_ms = await history.open_in_wallets([KEY, OTHERS[1], WalletKey("nobody", "w1")]), await now_ms(engine)
    assert [sorted(each.opened) for each in found] == [sorted(opened), [others[1]], []]
    assert [each.closed for each in found] == [[slack], [theirs[1]], []]
    assert {now <= each.database_ms <= later_ms for each in found} == {True}


def test_the_lowest_id_is_that_of_the_time_and_never_below_zero() -> None:
    assert lowest_id(1_800_000_000_000) == UUID(int=1_800_000_000_000 << 80)
    assert lowest_id(-5) == UUID(int=0)


async def test_orders_born_since_are_found_when_wallets_are_compared(engine: Any, history: History) -> None:
    now = await now_ms(engine)
    earlier, exactly = lowest_id(now - 1), lowest_id(now)
    await close(engine, KEY, {earlier: EPOCH, exactly: EPOCH})
    later = (await engine.post()).order_id
    other = (await engine.post(wallet="w2")).order_id
    await engine.post(account="acme")
    found = await history.born_in_wallets([(OTHERS[0], now), (WalletKey("nobody", "w1"), 0), (KEY, now)])
    later_ms = await now_ms(engine)
    assert [sorted(each.ids) for each in found] == [[other], [], [exactly, later]]
    assert {now <= each.database_ms <= later_ms for each in found} == {True}
    assert [each.ids for each in await history.born_in_wallets([(WalletKey("nobody", "w1"), 0)])] == [[]]


async def test_later_closed_orders_come_by_the_time_of_closing_when_wallets_are_resumed(
    engine: Any, history: History
) -> None:
    ids = [UUID(int=number) for number in (9, 4, 5, 6, 1)]
    at = [EPOCH + timedelta(seconds=seconds) for seconds in (1, 2, 2, 2, 3)]
    await close(engine, KEY, dict(reversed(list(zip(ids, at, strict=True)))))
    other = uuid4()
    await close(engine, OTHERS[1], {other: EPOCH})
    before = EPOCH - timedelta(days=1)
    pages = [LaterPage(KEY, at[1], ids[1]), LaterPage(OTHERS[0], before, other), LaterPage(OTHERS[1], before, other)]
    found = await history.later_in_wallets([*pages, LaterPage(KEY, before, ids[0])])
    assert found == [LaterOrders(list(expected), None) for expected in (ids[2:], [], [other], ids)]


async def test_a_page_names_the_following_one_when_it_is_full(engine: Any, history: History) -> None:
    # Closed in another order than they were stored, and than their ids.
    closed = {UUID(int=number): EPOCH + timedelta(seconds=number * 7 % 1_009) for number in range(1, module.PAGE + 3)}
    await close(engine, KEY, closed)
    expected = sorted(closed, key=lambda order_id: closed[order_id])
    (first,) = await history.later_in_wallets([LaterPage(KEY, EPOCH, UUID(int=0))])
    last = expected[module.PAGE - 1]
    assert first == LaterOrders(expected[: module.PAGE], LaterPage(KEY, closed[last], last))
    assert first.following is not None
    assert await history.later_in_wallets([first.following]) == [LaterOrders(expected[module.PAGE :], None)]


async def test_it_is_known_since_when_somebody_writes_when_transactions_are_open(
    database: str, engine: Any, history: History
) -> None:
    async def begin(dsn: str, sql: str) -> tuple[Any, int]:
        connection: Any = await asyncpg.connect(dsn)
        await connection.execute("begin")
        at = await connection.fetchval("select floor(extract(epoch from now()) * 1000)::bigint")
        await connection.execute(sql)
        while await now_ms(engine) == at:  # the next one begins later, on a clock of milliseconds
            pass
        return connection, at

    write = "select pg_current_xact_id()"
    elsewhere, _ = await begin(f"{database.rpartition('/')[0]}/postgres", write)
    reader, _ = await begin(database, "select 1")
    before = await now_ms(engine)
    assert (await history.writing()).oldest_ms is None
    first, began = await begin(database, write)
    second, _ = await begin(database, write)
    writing = await history.writing()
    assert (writing.oldest_ms, before <= writing.now_ms <= await now_ms(engine)) == (began, True)
    for connection in (elsewhere, reader, first, second):
        await connection.close()
