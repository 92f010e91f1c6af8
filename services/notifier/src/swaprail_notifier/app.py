"""Where the notifier is wired."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from uvicorn.server import ServerState

from swaprail.auth import CachedKeyStore, PgKeyStore
from swaprail.db.connect import Database
from swaprail.db.schema import check_database
from swaprail.runtime.service import worker_name
from swaprail.telemetry.health import Health, Needed, Report
from swaprail.telemetry.logging import get_logger
from swaprail_notifier.admission import Admission
from swaprail_notifier.comparison import Comparison
from swaprail_notifier.connections import CloseCode, Shared
from swaprail_notifier.drain import drain
from swaprail_notifier.feed import Feed
from swaprail_notifier.handshake import Handshake
from swaprail_notifier.heartbeat import Heartbeat
from swaprail_notifier.history import History
from swaprail_notifier.hub import Hub
from swaprail_notifier.protocol import Socket
from swaprail_notifier.revocation import Revocation
from swaprail_notifier.settings import NotifierSettings
from swaprail_notifier.stalls import Stalls
from swaprail_notifier.subscriptions import Subscriptions
from swaprail_notifier.tickets import TicketBurner
from swaprail_notifier.turn_end import TurnEnd

log = get_logger(__name__)

LOOKUP_CONNECTIONS = 1
# With the pause between two looks at the keys of open sockets: whoever came in by a key from memory is cut in ten seconds too.
KEYS_REMEMBERED_S = 6.0


class Notifier:
    """The notifier without a server: give `protocol` to uvicorn as ws=."""

    def __init__(self, settings: NotifierSettings) -> None:
        self.health = Health("notifier")
        turn_end = TurnEnd()
        self.hub = Hub(turn_end.told)
        self._settings = settings
        connect = partial(
            Database,
            settings.dsn,
            timeout_s=settings.db_timeout_s,
            lifetime_s=settings.db_connection_lifetime_s,
            application=f"swaprail notifier {worker_name(settings)}"[:63],
        )
        self._database = connect(size=settings.db_pool_size)
        # Apart from what followers read: whoever asks for much holds up nobody's handshake, nor the look at revoked keys.
        self.lookups = connect(size=LOOKUP_CONNECTIONS, pool="lookups")
        history, stalls = History(self._database), Stalls()
        self._subscriptions = Subscriptions(self.hub, history, stalls)
        self._comparison = Comparison(self.hub, history, stalls, interval_s=settings.ws_compare_interval_s)
        self._feed = Feed(settings, self.hub)
        self._heartbeat = Heartbeat(interval_s=settings.ws_ping_interval_s, timeout_s=settings.ws_pong_timeout_s)
        self._admission = Admission(settings)
        self._tickets = TicketBurner(settings)
        stored_keys = PgKeyStore(self.lookups)
        keys = CachedKeyStore(stored_keys, seconds=KEYS_REMEMBERED_S)
        handshake = Handshake(settings, self._subscriptions, keys, self._tickets, self._admission)
        self._shared = Shared(settings, handshake, self._heartbeat, turn_end)
        self._revocation = Revocation(self._shared.sockets, stored_keys)
        # All replicas share it: while it is away each of them says so, and a proxy finds somebody to ask.
        self.health.add("database", partial(check_database, self.lookups), needed=Needed.AT_FIRST)
        self.health.add("comparison", self._comparison.check, needed=Needed.AT_FIRST)
        self.health.add("subscribers", self._feed.check_subscribers)
        self.health.add("redis", self._feed.check_redis, needed=Needed.NEVER)

    @property
    def protocol(self) -> Callable[..., asyncio.Protocol]:
        """What uvicorn calls for each WebSocket."""

        def make(*, server_state: ServerState, **_: Any) -> Socket:
            return Socket(self._shared, server_state)

        return make

    @property
    def connections(self) -> int:
        """How many sockets there are, handshakes included."""
        return len(self._shared.sockets)

    async def readiness(self) -> Report:
        """Return what works and what does not."""
        return await self.health.report()

    async def start(self) -> None:
        """Begin to follow; database and Redis may still be away."""
        await self._subscriptions.start()
        await self._comparison.start()
        await self._heartbeat.start()
        await self._revocation.start()
        await self._feed.start()

    async def drain(self) -> None:
        """Take no more connections; return when every connection was told to go elsewhere."""
        self._admission.closed = True
        await drain(self._shared, self._settings.drain_timeout_s)

    async def stop(self) -> None:
        """Close every connection to database and Redis."""
        self._admission.closed = True
        for socket in list(self._shared.sockets):
            socket.close(CloseCode.RESTART, "the service restarts")
        await self._feed.stop()
        await self._revocation.stop()
        await self._heartbeat.stop()
        await self._comparison.stop()
        await self._subscriptions.stop()
        await self._tickets.stop()
        await self._database.close()
        await self.lookups.close()


def build(settings: NotifierSettings) -> Notifier:
    """Return a notifier that is not yet started."""
    return Notifier(settings)
