"""Store up to 100 orders in one commit, each with a result of its own."""

import msgspec

from swaprail.domain.errors import EngineError, ErrorCode
from swaprail.domain.orders import NewOrder
from swaprail_api.http.bodies import decode
from swaprail_api.http.problems import problem
from swaprail_api.http.requests import Caller
from swaprail_api.idempotency import batch_key
from swaprail_api.schemas.batches import BatchResult
from swaprail_api.schemas.requests import MAX_BATCH, RawBatch, order_decoder
from swaprail_api.usecases.accept_order import AcceptOrder, Stored


class AcceptBatch:
    """Accepts batches."""

    def __init__(self, accept: AcceptOrder) -> None:
        self._accept = accept

    async def run(self, batch: RawBatch, caller: Caller, key: str | None) -> list[BatchResult]:
        """Return a result for each order; the good ones are stored by one commit.

        The key stands for the whole batch: repeated, it has the same results; with any other batch under its key nothing
        is stored, and EngineError idempotency_key_reused tells it.
        """
        if not 1 <= len(batch.orders) <= MAX_BATCH:
            message = f"a batch has 1 to {MAX_BATCH} orders, not {len(batch.orders)}"
            raise EngineError(ErrorCode.BATCH_INVALID, message, field="orders")
        checked = [self._check(raw, index, caller, batch) for index, raw in enumerate(batch.orders)]
        good = [(index, order) for index, order in enumerate(checked) if isinstance(order, NewOrder)]
        stored = await self._store(batch, checked, good, caller, key) if good else []
        outcomes = dict(zip((index for index, _ in good), stored, strict=True))
        status = 202 if batch.execute else 201
        return [_result(outcomes.get(index, order), status) for index, order in enumerate(checked)]

    async def _store(
        self,
        batch: RawBatch,
        checked: list[NewOrder | EngineError],
        good: list[tuple[int, NewOrder]],
        caller: Caller,
        key: str | None,
    ) -> list[Stored | EngineError]:
        sent = [
            each if isinstance(each, NewOrder) else bytes(raw) for each, raw in zip(checked, batch.orders, strict=True)
        ]
        keys = [f"{key}#{index}" if key else None for index, _ in good]
        whole = batch_key(key, sent, execute=batch.execute) if key else None
        orders = [order for _, order in good]
        stored = await self._accept.many(orders, keys, caller, execute=batch.execute, batch=whole)
        _refuse_reused(stored)
        return stored

    def _check(self, raw: msgspec.Raw, index: int, caller: Caller, batch: RawBatch) -> NewOrder | EngineError:
        try:
            body = decode(order_decoder, raw, f"orders[{index}].")
            return self._accept.check(body, caller, execute=batch.execute)
        except EngineError as error:
            return error


def _refuse_reused(stored: list[Stored | EngineError]) -> None:
    refused = [each for each in stored if isinstance(each, EngineError)]
    if len(refused) < len(stored):
        return
    for error in refused:
        if error.code is ErrorCode.IDEMPOTENCY_KEY_REUSED:
            raise error


def _result(outcome: Stored | NewOrder | EngineError, status: int) -> BatchResult:
    if isinstance(outcome, EngineError):
        return BatchResult(outcome.kind.http_status, problem=problem(outcome))
    assert isinstance(outcome, tuple)
    return BatchResult(status, order=outcome[0])
