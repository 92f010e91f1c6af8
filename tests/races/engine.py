"""The engine's stores on one session, and what they tell the topics."""

from functools import partial
from typing import Any

from swaprail.db.leases import Leases
from swaprail.db.transitions import write_moves
from swaprail.domain.lifecycle import Status
from swaprail.messages.topics import OrderEvent, OrderEvents, OrdersAccepted, OrdersRouted
from swaprail.runtime.order_writer import OrderWriter
from swaprail_api.store.announce import Announcer
from swaprail_api.store.cancels import CancelStore
from swaprail_api.store.intake import IntakeStore
from swaprail_api.store.starts import StartStore
from swaprail_executor.attempts import write_settlements, write_submissions
from swaprail_router.housekeeping import Housekeeping

LEASE_S = 5.0
HOLDER = "before"  # who brought the order where it stands, and has its lease


class Heard:
    """Stands where the topic publisher stands, and keeps what it is told."""

    def __init__(self) -> None:
        self.events: list[OrderEvent] = []
        self.handed: list[Any] = []

    def publish(self, topic: Any, message: Any) -> None:
        """Keep it."""
        if isinstance(message, OrderEvents):
            self.events += message.events
        elif isinstance(message, OrdersAccepted | OrdersRouted):
            self.handed += message.orders


class Engine:
    """One process of the engine: whatever it writes goes through the given database.

    It scans for itself. What only the holder of a lease writes, it writes as the one that holds the order, or held it last.
    """

    def __init__(self, database: Any, name: str) -> None:
        heard: Any = Heard()
        self.database = database
        self.heard = heard
        self.name = name
        self.intake = IntakeStore(database, Announcer(heard))
        self.starts = StartStore(database, Announcer(heard))
        self.cancels = CancelStore(database, Announcer(heard))
        self.housekeeping = Housekeeping(database, heard, interval_s=1, retention_days=7, longest_days=90)
        self.moves = OrderWriter(partial(write_moves, database, HOLDER), heard, name="moves")
        self.submissions = OrderWriter(partial(write_submissions, database, HOLDER, LEASE_S), heard, name="submissions")
        self.settlements = OrderWriter(partial(write_settlements, database, HOLDER), heard, name="settlements")
        self.router = Leases(database, name, LEASE_S, [Status.ROUTING])
        self.executor = Leases(database, name, LEASE_S, [Status.BUILDING, Status.SUBMITTED])
        self.holder = Leases(database, HOLDER, LEASE_S, [Status.BUILDING, Status.SUBMITTED])
