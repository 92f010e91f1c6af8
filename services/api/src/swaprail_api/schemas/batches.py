"""Results of a batch."""

import msgspec

from swaprail_api.http.problems import Problem
from swaprail_api.schemas.orders import OrderView


class BatchResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """What came of one order of a batch: status as the order alone would have got, and the order or the problem."""

    status: int
    order: OrderView | None = None
    problem: Problem | None = None


class BatchResults(msgspec.Struct, frozen=True):
    """Results, in the order of the request."""

    results: list[BatchResult]
