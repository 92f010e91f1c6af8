"""Reading orders. Statements are composed with SQLAlchemy Core, compiled once, and run by asyncpg."""

from collections.abc import Sequence
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, Dialect, Select, bindparam, func, select
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.types import Integer, Text, Uuid

from swaprail.db.connect import Database
from swaprail.db.statements import named
from swaprail.db.tables import order_events, orders, tx_attempts
from swaprail.domain.chain import UNKNOWN_HEIGHT, AttemptState
from swaprail.domain.lifecycle import Status
from swaprail_api.store.rows import Row

MAX_EVENTS = 1000
_DIALECT: Dialect = PGDialect_asyncpg()  # type: ignore[no-untyped-call]
_ATTEMPT_FIELDS = {
    "attempt": tx_attempts.c.attempt,
    "venue": tx_attempts.c.venue,
    "signature": tx_attempts.c.signature,
    "state": tx_attempts.c.state,
    "blockhash": tx_attempts.c.blockhash,
    "lastValidBlockHeight": func.nullif(tx_attempts.c.last_valid_block_height, UNKNOWN_HEIGHT),
    "slot": tx_attempts.c.slot,
    "error": tx_attempts.c.error,
    "createdAt": tx_attempts.c.created_at,
    "settledAt": tx_attempts.c.settled_at,
}

type Statement = tuple[str, dict[str, Any]]  # SQL, and its parameters in order; those not given have these values


class OrderReader:
    """Reads what an account owns; others' orders do not exist for it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def order(self, order_id: UUID, account: str) -> Row | None:
        """Return the order; attempts (a JSON array) and timestamps (a JSON object) are columns of it."""
        rows = await self._run(_detail(), {"id": order_id, "account": account})
        return rows[0] if rows else None

    async def page(
        self, account: str, wallet: str, *, before: UUID | None, status: Status | None, limit: int
    ) -> Sequence[Row]:
        """Return orders of a wallet, newest first, with ids below `before`."""
        given = {"account": account, "wallet": wallet, "before": before, "status": status, "limit": limit}
        return await self._run(_page(before=before is not None, status=status is not None), given)

    async def events(self, order_id: UUID, account: str, after: int) -> Sequence[Row] | None:
        """Return the events after a seq, or None if there is no such order."""
        rows = await self._run(_events(), {"id": order_id, "account": account, "after": after})
        return [row for row in rows if row["seq"] is not None] if rows else None

    async def _run(self, statement: Statement, given: dict[str, Any]) -> Sequence[Row]:
        sql, values = statement
        return await self._database.fetch(sql, *(given.get(name, value) for name, value in values.items()))


def _text(name: str) -> BindParameter[str]:
    return bindparam(name, type_=Text)


def _uuid(name: str) -> BindParameter[UUID]:
    return bindparam(name, type_=Uuid)


def _number(name: str) -> BindParameter[int]:
    return bindparam(name, type_=Integer)


def _compile(operation: str, statement: Select[Any]) -> Statement:
    compiled = statement.compile(dialect=_DIALECT)
    return named(operation, str(compiled)), {name: compiled.params[name] for name in compiled.positiontup or ()}


def _of_order(*columns: ColumnElement[Any]) -> Select[Any]:
    return select(*columns).where(tx_attempts.c.order_id == orders.c.id)


def _signature() -> ColumnElement[str | None]:
    # An expired attempt never landed, so its signature is nothing to look for on the chain.
    live = _of_order(tx_attempts.c.signature).where(tx_attempts.c.state != AttemptState.EXPIRED.value)
    return live.order_by(tx_attempts.c.attempt.desc()).limit(1).scalar_subquery().label("signature")


def _attempts() -> ColumnElement[str | None]:
    pairs = [part for name, column in _ATTEMPT_FIELDS.items() for part in (name, column)]
    return _of_order(func.json_agg(func.json_build_object(*pairs))).scalar_subquery().label("attempt_list")


def _timestamps() -> ColumnElement[str | None]:
    first = (
        select(order_events.c.status, func.min(order_events.c.at).label("at"))
        .where(order_events.c.order_id == orders.c.id)
        .group_by(order_events.c.status)
        .correlate(orders)
        .lateral("first")
    )
    return select(func.json_object_agg(first.c.status, first.c.at)).scalar_subquery().label("timestamps")


@cache
def _detail() -> Statement:
    statement = select(orders, _signature(), _attempts(), _timestamps())
    return _compile("order_read", statement.where(orders.c.id == _uuid("id"), orders.c.account == _text("account")))


@cache
def _page(*, before: bool, status: bool) -> Statement:
    owned = (orders.c.account == _text("account"), orders.c.wallet == _text("wallet"))
    statement = select(orders, _signature()).where(*owned).order_by(orders.c.id.desc()).limit(_number("limit"))
    if before:
        statement = statement.where(orders.c.id < _uuid("before"))
    if status:
        statement = statement.where(orders.c.status == _text("status"))
    return _compile("order_list", statement)


@cache
def _events() -> Statement:
    later = (order_events.c.order_id == orders.c.id) & (order_events.c.seq > _number("after"))
    statement = select(orders.c.id, order_events.c.seq, order_events.c.status, order_events.c.data, order_events.c.at)
    owned = (orders.c.id == _uuid("id"), orders.c.account == _text("account"))
    joined = statement.select_from(orders.outerjoin(order_events, later)).where(*owned)
    return _compile("order_events", joined.order_by(order_events.c.seq).limit(MAX_EVENTS))
