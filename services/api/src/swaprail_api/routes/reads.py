"""Reading orders and their events."""

from swaprail.auth import Principal, Scope
from swaprail.domain.errors import ErrorCode
from swaprail_api.http.answers import Answer, json_answer
from swaprail_api.http.endpoints import Endpoint
from swaprail_api.http.requests import Request, caller_of, order_id_of, query_of
from swaprail_api.schemas.orders import EventList, OrderDetail, OrderPage
from swaprail_api.schemas.requests import EventsQuery, ListQuery, NoQuery
from swaprail_api.usecases.list_orders import ListOrders
from swaprail_api.usecases.read_order import ReadOrder


class ReadRoutes:
    """/api/orders: what reads orders."""

    def __init__(self, read: ReadOrder, listing: ListOrders) -> None:
        self._read = read
        self._listing = listing

    async def order(self, request: Request) -> Answer:
        """Return one order."""
        query_of(request, NoQuery)
        return json_answer(200, await self._read.detail(order_id_of(request), _principal(request)))

    async def events(self, request: Request) -> Answer:
        """Return the steps of an order."""
        query = query_of(request, EventsQuery)
        events = await self._read.events(order_id_of(request), _principal(request), query.after)
        return json_answer(200, EventList(events))

    async def of_wallet(self, request: Request) -> Answer:
        """Return orders of a wallet."""
        query = query_of(request, ListQuery)
        wallet = str(request.scope["path_params"]["wallet"]).removeprefix("/")
        return json_answer(200, await self._listing.run(_principal(request), wallet, query))

    def endpoints(self) -> list[Endpoint]:
        """Return the routes."""
        return [
            Endpoint(
                method="GET",
                path="/api/orders/{orderId}",
                handle=self.order,
                summary="One order with its route, quotes, attempts and the time of each step",
                group="orders",
                scope=Scope.READ,
                answers={200: ("The order", OrderDetail)},
                errors=(ErrorCode.ORDER_NOT_FOUND, ErrorCode.ACCOUNT_LIMIT),
            ),
            Endpoint(
                method="GET",
                path="/api/orders/{orderId}/events",
                handle=self.events,
                summary="The numbered steps of an order, oldest first",
                group="orders",
                scope=Scope.READ,
                query=EventsQuery,
                answers={200: ("The steps", EventList)},
                errors=(ErrorCode.ORDER_NOT_FOUND, ErrorCode.ACCOUNT_LIMIT),
            ),
            Endpoint(
                method="GET",
                path="/api/orders/user/{wallet}",
                handle=self.of_wallet,
                summary="The orders of a wallet, newest first",
                group="orders",
                scope=Scope.READ,
                query=ListQuery,
                answers={200: ("A page", OrderPage)},
                errors=(ErrorCode.CURSOR_INVALID, ErrorCode.ACCOUNT_LIMIT),
            ),
        ]


def _principal(request: Request) -> Principal:
    return caller_of(request).principal
