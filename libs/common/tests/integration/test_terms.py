"""The terms of an order are the same text in Python, in SQL, and after the way of a message."""

import asyncio
import string
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from swaprail.db.connect import Database
from swaprail.db.leases import read_order
from swaprail.db.terms import ROW_TERMS, order_terms
from swaprail.domain.orders import LeasedOrder
from swaprail.messages.topics import HandedOver, OrdersRouted
from swaprail.testing.factories import insert_order

_U64 = 2**64 - 1
_visible = st.text(st.characters(categories=("L", "M", "N", "P", "S")), min_size=1, max_size=64)
_moment = st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
_routing = st.recursive(
    st.none() | st.booleans() | st.integers(-_U64, _U64) | st.text(string.printable) | _visible,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_visible, inner, max_size=3),
)


class Rows:
    """Writes one order after the other, and reads what it is."""

    def __init__(self, runner: asyncio.Runner, dsn: str) -> None:
        self._runner = runner
        self.db = Database(dsn, size=1, timeout_s=5, application="test")
        self._id = runner.run(insert_order(self.db))

    def rewrite(self, **columns: object) -> tuple[LeasedOrder, str]:
        """Return the order with other values, and its terms as SQL has them."""
        return self._runner.run(self._rewrite(columns))

    async def _rewrite(self, columns: dict[str, object]) -> tuple[LeasedOrder, str]:
        names = ", ".join(f"{name} = ${number}" for number, name in enumerate(columns, start=2))
        sql = f"update orders o set {names} where id = $1 returning *, {ROW_TERMS} as terms"
        (row,) = await self.db.fetch(sql, self._id, *columns.values())
        return read_order(row), row["terms"]


@pytest.fixture
def rows(database: str) -> Iterator[Rows]:
    with asyncio.Runner() as runner:
        made = Rows(runner, database)
        yield made
        runner.run(made.db.close())


@settings(max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(
    account=_visible,
    wallet=_visible,
    amount=st.integers(1, _U64),
    slippage=st.integers(0, 10_000),
    least=st.none() | st.integers(0, _U64),
    expires_at=st.none() | _moment,
    queued_at=_moment,
    attempts=st.integers(0, 100),
    routing=st.none() | _routing.map(lambda value: msgspec.json.encode(value).decode()),
)
@example("local", "w", 1, 50, None, None, datetime(2026, 1, 2, 3, 4, 5, 678_901, UTC), 0, ' {"a" : 1.50 } ')
@example("local", "w", _U64, 0, 0, datetime(9999, 12, 31, 23, 59, 59, 999_998, UTC), datetime.now(UTC), 1, "null")
def test_terms_are_the_same_when_python_sql_and_a_message_tell_them(
    rows: Rows,
    account: str,
    wallet: str,
    amount: int,
    slippage: int,
    least: int | None,
    expires_at: datetime | None,
    queued_at: datetime,
    attempts: int,
    routing: str | None,
) -> None:
    order, terms = rows.rewrite(
        account=account,
        wallet=wallet,
        input_amount=amount,
        slippage_bps=slippage,
        min_output_amount=least,
        expires_at=expires_at,
        queued_at=queued_at,
        attempts=attempts,
        routing=routing,
    )
    assert order_terms(order) == terms
    if routing is None or routing == routing.strip():
        sent = msgspec.json.encode(OrdersRouted([HandedOver(order, 0)]))
        (item,) = msgspec.json.decode(sent, type=OrdersRouted).orders
        assert order_terms(item.order) == terms
