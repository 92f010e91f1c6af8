"""Random sequences of the engine's operations."""

from typing import Any

import msgspec
from hypothesis import strategies as st

from swaprail.db.horizons import Scan
from swaprail.domain.chain import AttemptState
from swaprail.domain.errors import ErrorCode
from swaprail.domain.lifecycle import Status
from swaprail.domain.orders import FundsMoved, Stage, failure
from tests.simulation.operations import (
    ORDERS,
    WORKERS,
    WRONG,
    Run,
    Seen,
    age,
    become,
    cancel,
    housekeep,
    look_on,
    move,
    place,
    place_batches,
    read,
    renew,
    scan,
    settle,
    start,
    submit,
)

_WORKING = (Status.PENDING, Status.ROUTING, Status.BUILDING, Status.SUBMITTED)
_number = st.sampled_from((0, 0, 1, 1, 2, 3, ORDERS))
_older = st.sampled_from((0, 0, 0, 0, 1))
_seen: st.SearchStrategy[Seen] = st.sampled_from((0,) * 16 + (1,) * 3 + tuple(WRONG))
_account = st.sampled_from(("alice", "bob"))
_key = st.sampled_from((None, "k1", "k2", "k1#0"))
_reason = msgspec.json.encode(failure(ErrorCode.NO_ROUTE, Stage.ROUTING, FundsMoved.NO)).decode()
_text = st.sampled_from((None, _reason))
_expiry = st.sampled_from((None, None, -5, 5))
_following = st.sampled_from(
    (Status.ROUTING, Status.BUILDING, Status.BUILDING, Status.SUBMITTED, Status.FAILED, Status.EXPIRED)
)
_settled = st.sampled_from((Status.CONFIRMED, Status.ROUTING, Status.SUBMITTED, Status.SUBMITTED, Status.EXPIRED))


def _some(*parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(st.tuples(*parts), min_size=1, max_size=3)


_CHOICES: list[tuple[Run, st.SearchStrategy[Any]]] = [
    (place, _some(_account, _key, st.integers(0, 1), st.booleans(), _expiry)),
    (place_batches, _some(_account, st.just("k1"), st.lists(st.integers(0, 1), min_size=1, max_size=3), st.booleans())),
    (start, _some(_number, _account, _key)),
    (cancel, _some(_number, _account)),
    (scan, st.tuples(st.integers(1, 3), st.lists(st.sampled_from(_WORKING), min_size=1), st.sampled_from((-1.0, 2.0)))),
    (become, st.sampled_from(WORKERS)),
    (renew, st.tuples(st.booleans(), _some(_number, _older))),
    (move, _some(_number, _seen, _following, st.sampled_from((None, 0.0, 4.0)), _text, st.booleans())),
    (submit, _some(_number, _seen, st.integers(1, 2), st.integers(0, 3))),
    (
        settle,
        _some(
            _number,
            _seen,
            st.integers(0, 3),
            st.sampled_from(tuple(AttemptState)),
            _settled,
            st.booleans(),
            st.booleans(),
        ),
    ),
    (housekeep, st.booleans()),
    (look_on, st.tuples(st.sampled_from(Scan), st.sampled_from((60.0, 1e9)))),
    (read, _some(_number, st.integers(0, 4), st.sampled_from(("PENDING", "ROUTING", "BUILDING")))),
    (age, st.sampled_from((3.0, 700_000.0, -3_600.0))),  # the last: the clock is set back
]
operations = st.lists(st.one_of(*(st.tuples(st.just(run), its) for run, its in _CHOICES)), min_size=8, max_size=20)
beginning = st.lists(st.tuples(_account, st.booleans(), _expiry), min_size=2, max_size=ORDERS)
