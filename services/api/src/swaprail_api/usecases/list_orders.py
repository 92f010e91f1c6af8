"""List the orders of a wallet, newest first, page by page."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from uuid import UUID

from swaprail.auth import Principal
from swaprail_api.cursor import Cursors
from swaprail_api.schemas.orders import OrderPage, OrderView
from swaprail_api.schemas.requests import ListQuery
from swaprail_api.store.reads import OrderReader
from swaprail_api.store.rows import Row, order_view
from swaprail_api.turns import Turns
from swaprail_api.usecases.check_order import check_wallet

AT_ONCE = 25  # orders made into what is shown before anybody else is served


class ListOrders:
    """Lists orders."""

    def __init__(self, reader: OrderReader, cursors: Cursors, turns: Turns) -> None:
        self._reader = reader
        self._turns = turns
        self._cursors = cursors

    async def run(self, caller: Principal, wallet: str, query: ListQuery) -> OrderPage:
        """Return a page and the cursor of the next; EngineError cursor_invalid for a cursor of another list."""
        check_wallet(wallet, "wallet")
        account, status = caller.account, query.status
        before = self._cursors.read(query.cursor, account, wallet, status) if query.cursor is not None else None
        # One more than asked tells whether there is a next page.
        page = partial(self._reader.page, account, wallet, before=before, status=status, limit=query.limit + 1)
        views, last = await self._turns.take(caller, partial(_shown, page, query.limit))
        cursor = self._cursors.write(last, account, wallet, status) if last else None
        return OrderPage(views, cursor)


async def _shown(page: Callable[[], Awaitable[Sequence[Row]]], limit: int) -> tuple[list[OrderView], UUID | None]:
    """Return what a page shows, and the last order of it where there is a next one. Others are served in between."""
    rows = await page()
    views = []
    for row in rows[:limit]:
        views.append(order_view(row))
        if len(views) % AT_ONCE == 0:
            await asyncio.sleep(0)
    return views, rows[limit - 1]["id"] if len(rows) > limit else None
