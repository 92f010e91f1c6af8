"""Orders of an account that are being stored while it is counted."""

from typing import Any

import pytest

from swaprail.auth import Principal
from swaprail.domain.errors import EngineError
from swaprail_api.store.account_orders import AccountOrders

DESK = Principal(account="desk", key_id="key", scopes=frozenset())


class Table:
    """Stands where the database stands: what a count finds open."""

    def __init__(self) -> None:
        self.open = 0
        self.asked = 0

    async def fetch(self, sql: str, names: list[str], *most: int) -> list[dict[str, Any]]:
        self.asked += 1
        return [{"account": name, "open": self.open, "waiting": 0} for name in names]


async def store(orders: AccountOrders) -> None:
    async with orders.take(DESK, 1, execute=True):
        pass


def orders_of(table: Any, most: int) -> AccountOrders:
    return AccountOrders(table, most_open=most, most_waiting=0)


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
