"""List the orders of a wallet, newest first, page by page."""

from functools import partial

from swaprail.auth import Principal
from swaprail_api.cursor import Cursors
from swaprail_api.deadline import Deadline
from swaprail_api.schemas.orders import OrderPage
from swaprail_api.schemas.requests import ListQuery
from swaprail_api.store.reads import OrderReader
from swaprail_api.store.rows import order_view
from swaprail_api.turns import Turns
from swaprail_api.usecases.check_order import check_wallet


class ListOrders:
    """Lists orders."""

    def __init__(self, reader: OrderReader, cursors: Cursors, deadline: Deadline, turns: Turns) -> None:
        self._reader = reader
        self._turns = turns
        self._cursors = cursors
        self._deadline = deadline

    async def run(self, caller: Principal, wallet: str, query: ListQuery) -> OrderPage:
        """Return a page and the cursor of the next; EngineError cursor_invalid for a cursor of another list."""
        check_wallet(wallet, "wallet")
        account, status = caller.account, query.status
        before = self._cursors.read(query.cursor, account, wallet, status) if query.cursor is not None else None
        # One more than asked tells whether there is a next page.
        page = partial(self._reader.page, account, wallet, before=before, status=status, limit=query.limit + 1)
        rows = await self._deadline.wait(self._turns.take(caller, page))
        shown = rows[: query.limit]
        more = len(rows) > query.limit
        cursor = self._cursors.write(shown[-1]["id"], account, wallet, status) if more else None
        return OrderPage([order_view(row) for row in shown], cursor)
