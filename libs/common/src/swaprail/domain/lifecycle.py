"""The one table that says which status may follow which."""

from enum import StrEnum
from itertools import pairwise


class Status(StrEnum):
    """Where an order stands."""

    PENDING = "PENDING"
    ROUTING = "ROUTING"
    BUILDING = "BUILDING"
    SUBMITTED = "SUBMITTED"
    CONFIRMED = "CONFIRMED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"


TRANSITIONS: dict[Status, frozenset[Status]] = {
    # Nothing was promised to a venue yet: the client may still take the order back, or its time may run out.
    Status.PENDING: frozenset({Status.ROUTING, Status.CANCELLED, Status.EXPIRED}),
    Status.ROUTING: frozenset({Status.BUILDING, Status.FAILED, Status.CANCELLED, Status.EXPIRED}),
    # Back to ROUTING: the route grew stale while the order waited for an executor.
    Status.BUILDING: frozenset(
        {Status.SUBMITTED, Status.ROUTING, Status.FAILED, Status.CANCELLED, Status.EXPIRED},
    ),
    # A signed transaction is out. Back to ROUTING, or to EXPIRED, only with proof that it can never land.
    Status.SUBMITTED: frozenset({Status.CONFIRMED, Status.FAILED, Status.ROUTING, Status.EXPIRED}),
    Status.CONFIRMED: frozenset(),
    Status.FAILED: frozenset(),
    Status.CANCELLED: frozenset(),
    Status.EXPIRED: frozenset(),
}

TERMINAL: frozenset[Status] = frozenset(status for status, after in TRANSITIONS.items() if not after)
CANCELLABLE: frozenset[Status] = frozenset(s for s, after in TRANSITIONS.items() if Status.CANCELLED in after)


class IllegalTransitionError(Exception):
    """A transition that the table does not allow was asked for."""

    def __init__(self, current: Status, following: Status) -> None:
        super().__init__(f"{current} may not become {following}")
        self.current = current
        self.following = following


def check_transition(current: Status, following: Status) -> None:
    """Raise IllegalTransitionError unless the table allows current -> following."""
    if following not in TRANSITIONS[current]:
        raise IllegalTransitionError(current, following)


def is_legal_history(statuses: list[Status]) -> bool:
    """Tell whether a list of statuses, oldest first, is a path that the table allows from PENDING on."""
    if not statuses or statuses[0] is not Status.PENDING:
        return False
    return all(after in TRANSITIONS[before] for before, after in pairwise(statuses))
