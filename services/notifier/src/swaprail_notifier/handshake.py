"""Decides about a handshake: origin, limits, who calls, what is asked for."""

import asyncio
from urllib.parse import urlsplit

from websockets.datastructures import Headers, MultipleValuesError
from websockets.http11 import Request

from swaprail.auth import KeyStore, Principal, Scope, authenticate, check_key
from swaprail.db.away import is_unmigrated, unmigrated
from swaprail.domain.errors import EngineError, ErrorCode
from swaprail.settings import AppEnv
from swaprail.telemetry.causes import cause_of
from swaprail.telemetry.logging import get_logger
from swaprail_notifier.admission import Admission, Seat, client_ip
from swaprail_notifier.requests import Asked, OrderAsked, parse_request
from swaprail_notifier.settings import NotifierSettings
from swaprail_notifier.subscriptions import Subscription, Subscriptions
from swaprail_notifier.tickets import TicketBurner

log = get_logger(__name__)


class Handshake:
    """Turns a request into a subscription, or into an EngineError."""

    def __init__(
        self,
        settings: NotifierSettings,
        subscriptions: Subscriptions,
        keys: KeyStore,
        tickets: TicketBurner,
        admission: Admission,
    ) -> None:
        self._settings = settings
        self._subscriptions = subscriptions
        self._keys = keys
        self._tickets = tickets
        self._admission = admission
        self._origins = settings.allowed_origins
        self._proxies = settings.trusted_proxies
        self._same_origin = settings.app_env is AppEnv.DEVELOPMENT

    def seat(self, peer: str, headers: Headers) -> Seat:
        """Return a seat for a connection; EngineError when there is none."""
        return self._admission.enter(client_ip(peer, headers, self._proxies))

    async def decide(self, request: Request, seat: Seat) -> Subscription:
        """Return what the client may follow; EngineError tells why it may not, or that this took too long or failed."""
        try:
            async with asyncio.timeout(self._settings.ws_handshake_timeout_s):
                return await self._decide(request, seat)
        except EngineError:
            raise
        except TimeoutError as error:
            raise EngineError(ErrorCode.UNAVAILABLE, "the handshake took too long") from error
        except Exception as error:
            if is_unmigrated(error):
                log.error("the database is not migrated", cause=cause_of(error))
                raise unmigrated() from error
            log.exception("handshake failed")
            raise EngineError(ErrorCode.INTERNAL, "the handshake failed") from error

    async def _decide(self, request: Request, seat: Seat) -> Subscription:
        self._check_origin(request.headers)
        asked = parse_request(request.path)
        principal = await self._identify(request.headers, asked)
        principal.require(Scope.READ)
        seat.name_caller(principal)
        target = asked.target
        if isinstance(target, OrderAsked):
            return await self._subscriptions.order(principal.account, target.order_id, target.after)
        return await self._subscriptions.wallet(principal.account, target.wallet, target.after_ms)

    async def _identify(self, headers: Headers, asked: Asked) -> Principal:
        if asked.ticket is not None:
            principal = await self._tickets.admit(asked.ticket)
            return await check_key(principal, self._keys)
        header = _single(headers, "Authorization")
        return await authenticate(header, self._keys, required=self._settings.api_keys_required)

    def _check_origin(self, headers: Headers) -> None:
        # Only browsers send an origin; others cannot be lured by a foreign page.
        origin = _single(headers, "Origin")
        if origin is None or origin.lower() in self._origins:
            return
        if self._same_origin and _host_of(origin) == (_single(headers, "Host") or "").lower():
            return
        raise EngineError(
            ErrorCode.FORBIDDEN,
            "pages of this origin may not open a WebSocket",
            title="The origin is not allowed",
            hint="Add the origin to WS_ALLOWED_ORIGINS.",
        )


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return None


def _single(headers: Headers, name: str) -> str | None:
    try:
        return headers.get(name)
    except MultipleValuesError as error:
        raise EngineError(ErrorCode.VALIDATION_FAILED, f"{name} is given more than once", field=name) from error
