"""Placing, executing and cancelling orders."""

import msgspec

from swaprail.auth import Scope
from swaprail.domain.errors import ErrorCode
from swaprail_api.deadline import Deadline
from swaprail_api.http.answers import Answer, json_answer
from swaprail_api.http.bodies import MAX_BATCH_BODY, MAX_BODY, decode, read_body, read_json
from swaprail_api.http.endpoints import Endpoint
from swaprail_api.http.requests import Caller, Request, caller_of, order_id_of, prefix_of
from swaprail_api.idempotency import read_key
from swaprail_api.schemas.batches import BatchResults
from swaprail_api.schemas.orders import OrderView
from swaprail_api.schemas.requests import NoQuery, PlaceBatch, PlaceOrder, RawBatch, order_decoder
from swaprail_api.usecases.accept_batch import AcceptBatch
from swaprail_api.usecases.accept_order import AcceptOrder
from swaprail_api.usecases.cancel_order import CancelOrder
from swaprail_api.usecases.start_order import StartOrder

_REPLAYED = (b"idempotency-replayed", b"true")
_batch_decoder = msgspec.json.Decoder(RawBatch)
_nothing_decoder = msgspec.json.Decoder(NoQuery)

_INTAKE_ERRORS = (
    ErrorCode.BODY_INVALID,
    ErrorCode.BODY_TOO_LARGE,
    ErrorCode.UNSUPPORTED_MEDIA_TYPE,
    ErrorCode.AMOUNT_INVALID,
    ErrorCode.AMOUNT_TOO_PRECISE,
    ErrorCode.TOKEN_UNKNOWN,
    ErrorCode.TOKENS_EQUAL,
    ErrorCode.EXPIRY_IN_PAST,
    ErrorCode.EXPIRY_TOO_FAR,
    ErrorCode.ACCOUNT_LIMIT,
    ErrorCode.OVERLOADED,
)
_EXAMPLE: dict[str, object] = {"userWallet": "alice", "inputToken": "SOL", "outputToken": "USDC", "inputAmount": "1.5"}


class OrderRoutes:
    """/api/orders: what changes orders."""

    def __init__(
        self,
        accept: AcceptOrder,
        batch: AcceptBatch,
        start: StartOrder,
        cancel: CancelOrder,
        *,
        body: Deadline,
        key_required: bool,
    ) -> None:
        self._accept = accept
        self._batch = batch
        self._start = start
        self._cancel = cancel
        self._body = body
        self._key_required = key_required

    async def place(self, request: Request) -> Answer:
        """Store an order that waits to be executed."""
        return await self._place(request, execute=False)

    async def execute(self, request: Request) -> Answer:
        """Store an order and queue it."""
        return await self._place(request, execute=True)

    async def place_batch(self, request: Request) -> Answer:
        """Store orders in one commit."""
        caller = caller_of(request)
        key = read_key(caller.headers.get(b"idempotency-key"), required=self._key_required)
        body = await read_json(caller.headers, request.receive, MAX_BATCH_BODY, self._body)
        results = await self._batch.run(decode(_batch_decoder, body), caller, key)
        return json_answer(207, BatchResults(results))

    async def start(self, request: Request) -> Answer:
        """Queue a stored order."""
        caller = caller_of(request)
        key = read_key(caller.headers.get(b"idempotency-key"), required=self._key_required)
        await self._no_body(caller, request)
        order, replayed = await self._start.run(order_id_of(request), caller, key)
        return _order_answer(202, order, caller, replayed=replayed)

    async def cancel(self, request: Request) -> Answer:
        """Take an order back."""
        caller = caller_of(request)
        await self._no_body(caller, request)
        return _order_answer(202, await self._cancel.run(order_id_of(request), caller), caller)

    async def _place(self, request: Request, *, execute: bool) -> Answer:
        caller = caller_of(request)
        key = read_key(caller.headers.get(b"idempotency-key"), required=self._key_required)
        body = decode(order_decoder, await read_json(caller.headers, request.receive, MAX_BODY, self._body))
        order, replayed = await self._accept.one(body, caller, key, execute=execute)
        return _order_answer(202 if execute else 201, order, caller, replayed=replayed)

    async def _no_body(self, caller: Caller, request: Request) -> None:
        body = await read_body(caller.headers, request.receive, MAX_BODY, self._body)
        if body.strip():
            decode(_nothing_decoder, body)

    def endpoints(self) -> list[Endpoint]:
        """Return the routes."""
        return [
            Endpoint(
                method="POST",
                path="/api/orders",
                handle=self.place,
                summary="Store an order that waits to be executed",
                group="orders",
                scope=Scope.WRITE,
                body=PlaceOrder,
                example=_EXAMPLE,
                answers={201: ("The order, PENDING", OrderView)},
                idempotent=True,
                errors=_INTAKE_ERRORS,
            ),
            Endpoint(
                method="POST",
                path="/api/orders/execute",
                handle=self.execute,
                summary="Store an order and queue it for execution",
                group="orders",
                scope=Scope.WRITE,
                body=PlaceOrder,
                example=_EXAMPLE,
                answers={202: ("The order, queued", OrderView)},
                idempotent=True,
                errors=_INTAKE_ERRORS,
            ),
            Endpoint(
                method="POST",
                path="/api/orders/batch",
                handle=self.place_batch,
                summary="Store up to 100 orders in one commit, each with a result of its own; 128 KiB at most",
                group="orders",
                scope=Scope.WRITE,
                body=PlaceBatch,
                example={"orders": [_EXAMPLE], "execute": True},
                answers={207: ("Results, in the order of the request", BatchResults)},
                idempotent=True,
                errors=(ErrorCode.BATCH_INVALID, *_INTAKE_ERRORS[:3], ErrorCode.ACCOUNT_LIMIT, ErrorCode.OVERLOADED),
            ),
            Endpoint(
                method="POST",
                path="/api/orders/{orderId}/execute",
                handle=self.start,
                summary="Queue a stored order; of many requests exactly one does",
                group="orders",
                scope=Scope.WRITE,
                answers={202: ("The order, queued", OrderView)},
                idempotent=True,
                errors=(
                    ErrorCode.ORDER_NOT_FOUND,
                    ErrorCode.ORDER_STATUS_MISMATCH,
                    ErrorCode.ACCOUNT_LIMIT,
                    ErrorCode.OVERLOADED,
                ),
            ),
            Endpoint(
                method="POST",
                path="/api/orders/{orderId}/cancel",
                handle=self.cancel,
                summary="Take an order back, if it can no longer land",
                group="orders",
                scope=Scope.WRITE,
                answers={202: ("The order, CANCELLED", OrderView)},
                errors=(
                    ErrorCode.ORDER_NOT_FOUND,
                    ErrorCode.ORDER_STATUS_MISMATCH,
                    ErrorCode.ORDER_NOT_CANCELLABLE,
                ),
            ),
        ]


def _order_answer(status: int, order: OrderView, caller: Caller, *, replayed: bool = False) -> Answer:
    prefix = prefix_of(caller.headers)
    location = (b"location", b"%s/api/orders/%s" % (prefix, str(order.order_id).encode()))
    return json_answer(status, order, (location, _REPLAYED) if replayed else (location,))
