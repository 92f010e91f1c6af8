"""Burns one-time tickets: who sets a ticket's name in Redis first may use it."""

from typing import Any

from swaprail.auth.principals import Principal
from swaprail.auth.tickets import TICKET_SECONDS, TicketRefusedError, burn_name, read_ticket
from swaprail.broker.connect import AWAY, connect_redis
from swaprail.domain.errors import EngineError, ErrorCode
from swaprail.telemetry.incidents import Incident
from swaprail_notifier.settings import NotifierSettings


class TicketBurner:
    """Admits each ticket once, over all replicas. While Redis is away it admits none."""

    def __init__(self, settings: NotifierSettings) -> None:
        self._secret = settings.ticket_secret
        self._redis: Any = connect_redis(settings)
        self._incident = Incident("tickets cannot be checked", "tickets are checked again")

    async def admit(self, ticket: str) -> Principal:
        """Return whose ticket it is, and burn it; EngineError unauthenticated, or unavailable without Redis."""
        if self._secret is None:
            raise EngineError(ErrorCode.UNAUTHENTICATED, "tickets are not in use here")
        try:
            principal = read_ticket(ticket, self._secret)
        except TicketRefusedError as error:
            raise EngineError(ErrorCode.UNAUTHENTICATED, "the ticket is not valid") from error
        if not await self._burn(burn_name(ticket)):
            raise EngineError(ErrorCode.UNAUTHENTICATED, "the ticket was used before")
        return principal

    async def stop(self) -> None:
        """Close the connection."""
        await self._redis.aclose()

    async def _burn(self, name: str) -> bool:
        try:
            burned = bool(await self._redis.set(name, b"1", nx=True, ex=2 * TICKET_SECONDS))
        except AWAY as error:
            self._incident.failed(error)
            raise EngineError(ErrorCode.UNAVAILABLE, "tickets cannot be checked now") from error
        self._incident.succeeded()
        return burned
