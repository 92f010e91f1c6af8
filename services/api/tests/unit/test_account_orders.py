"""Orders of an account that are being stored while it is counted."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from swaprail.auth import Principal
from swaprail.domain.errors import EngineError, ErrorCode
from swaprail_api.store.account_orders import AccountOrders

DESK = Principal(account="desk", key_id="key", scopes=frozenset())


class Table:
    """Stands where the database stands: what a count finds open."""

    def __init__(self) -> None:
        self.open = 0
        self.asked = 0

    async def fetch(self, sql: str, names: list[str], *most: int) -> list[dict[str, Any]]:
        if "account_waiting" in sql:
            return [{"account": name, "orders": 0} for name in names]
        self.asked += 1
        await asyncio.sleep(0)
        return [{"account": name, "orders": self.open} for name in names if self.open]


async def store(orders: AccountOrders, *, execute: bool = True) -> None:
    async with orders.take(DESK, 1, execute=execute):
        pass


def orders_of(table: Any, most: int) -> AccountOrders:
    return AccountOrders(table, most_open=most, most_waiting=most)


async def test_an_order_is_not_forgotten_when_the_account_is_counted_before_it_is_stored() -> None:
    table = Table()
    orders = orders_of(table, 1)
    async with orders.take(DESK, 1, execute=True):
        await orders.count()
        table.open = 1
    with pytest.raises(EngineError, match="may have 1 open"):
        await store(orders)


async def test_an_order_is_not_counted_twice_when_the_account_is_counted_after_it_is_stored() -> None:
    table = Table()
    orders = orders_of(table, 2)
    async with orders.take(DESK, 1, execute=True):
        table.open = 1
        await orders.count()
    await store(orders)
    table.open = 2
    with pytest.raises(EngineError, match="may have 2 open"):
        await store(orders)


async def test_an_order_counts_until_the_next_count_when_its_storing_failed() -> None:
    table = Table()
    orders = orders_of(table, 1)
    with pytest.raises(RuntimeError):
        async with orders.take(DESK, 1, execute=True):
            raise RuntimeError
    await store(orders)


async def test_an_account_at_its_limit_is_counted_seldom_when_many_ask_while_one_is_being_stored() -> None:
    table = Table()
    orders = orders_of(table, 1)
    async with orders.take(DESK, 1, execute=True):
        await orders.count()
        asked = table.asked
        for _ in range(50):
            with pytest.raises(EngineError):
                await store(orders)
    assert table.asked <= asked + 2


class Slow(Table):
    """Counts of waiting orders take a second each, by the clock of the test."""

    def __init__(self) -> None:
        super().__init__()
        self.now, self.waiting, self.fails = 1_000.0, 0, False

    async def fetch(self, sql: str, names: list[str], *most: int) -> list[dict[str, Any]]:
        if "account_waiting" not in sql:
            return await super().fetch(sql, names, *most)
        self.waiting, self.now = self.waiting + 1, self.now + 1
        if self.fails:
            raise EngineError(ErrorCode.UNAVAILABLE, "too slow")
        return []


@pytest.mark.parametrize("fails", [False, True])
async def test_waiting_orders_are_counted_seldom_when_it_takes_long(
    monkeypatch: pytest.MonkeyPatch, *, fails: bool
) -> None:
    table = Slow()
    monkeypatch.setattr("swaprail_api.store.account_orders.time.monotonic", lambda: table.now)
    table.fails = fails
    orders = orders_of(table, 1_000)
    for _ in range(30):
        await store(orders)
        await store(orders, execute=False)
        with suppress(EngineError):
            await orders.count()
        table.now += 1
    assert (table.asked, table.waiting) == (30, 4)


async def test_all_who_wait_for_a_count_get_the_same_one_when_many_accounts_are_at_their_limit() -> None:
    table = Table()
    orders = orders_of(table, 1)
    table.open = 1
    callers = [Principal(account=f"desk {n}", key_id="key", scopes=frozenset()) for n in range(20)]

    async def ask(caller: Principal) -> None:
        async with orders.take(caller, 1, execute=True):
            pass

    for caller in callers:
        await ask(caller)
    answers = await asyncio.gather(*(ask(caller) for caller in callers), return_exceptions=True)
    assert [type(answer) for answer in answers] == [EngineError] * 20
    assert table.asked <= 2
