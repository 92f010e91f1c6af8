"""Store up to 100 orders in one commit, each with a result of its own."""

import msgspec

from swaprail.domain.errors import EngineError, ErrorCode
from swaprail.domain.orders import NewOrder
from swaprail_api.http.bodies import decode
from swaprail_api.http.problems import problem
from swaprail_api.http.requests import Caller
from swaprail_api.schemas.batches import BatchResult
from swaprail_api.schemas.requests import MAX_BATCH, PlaceOrder, RawBatch
from swaprail_api.usecases.accept_order import AcceptOrder, Stored

_order_decoder = msgspec.json.Decoder(PlaceOrder)


class AcceptBatch:
    """Accepts batches."""

    def __init__(self, accept: AcceptOrder) -> None:
        self._accept = accept

    async def run(self, batch: RawBatch, caller: Caller, key: str | None) -> list[BatchResult]:
        """Return a result for each order; the good ones are stored by one commit.

        Order i has the idempotency key `<key>#<i>`, so repeating a batch repeats its results.
        """
        if not 1 <= len(batch.orders) <= MAX_BATCH:
            message = f"a batch has 1 to {MAX_BATCH} orders, not {len(batch.orders)}"
            raise EngineError(ErrorCode.BATCH_INVALID, message, field="orders")
        checked = [self._check(raw, index, caller, batch) for index, raw in enumerate(batch.orders)]
        good = [(index, order) for index, order in enumerate(checked) if isinstance(order, NewOrder)]
        keys = [f"{key}#{index}" if key else None for index, _ in good]
        stored = await self._accept.many([order for _, order in good], keys, execute=batch.execute) if good else []
        outcomes = dict(zip((index for index, _ in good), stored, strict=True))
        status = 202 if batch.execute else 201
        return [_result(outcomes.get(index, order), status) for index, order in enumerate(checked)]

    def _check(self, raw: msgspec.Raw, index: int, caller: Caller, batch: RawBatch) -> NewOrder | EngineError:
        try:
            body = decode(_order_decoder, raw, f"orders[{index}].")
            return self._accept.check(body, caller, execute=batch.execute)
        except EngineError as error:
            return error


def _result(outcome: Stored | NewOrder | EngineError, status: int) -> BatchResult:
    if isinstance(outcome, EngineError):
        return BatchResult(outcome.kind.http_status, problem=problem(outcome))
    assert isinstance(outcome, tuple)
    return BatchResult(status, order=outcome[0])
