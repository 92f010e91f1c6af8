"""API keys, and tickets for browsers."""

from functools import partial

import msgspec

from swaprail.auth import Scope, issue_ticket
from swaprail.auth.tickets import TICKET_SECONDS
from swaprail.domain.errors import EngineError, ErrorCode
from swaprail_api.deadline import Deadline
from swaprail_api.http.answers import Answer, empty_answer, json_answer
from swaprail_api.http.bodies import MAX_BODY, decode, read_json
from swaprail_api.http.endpoints import Endpoint
from swaprail_api.http.requests import Request, caller_of
from swaprail_api.schemas.keys import CreatedKey, KeyList, TicketView
from swaprail_api.schemas.requests import NewApiKey
from swaprail_api.turns import Turns
from swaprail_api.usecases.manage_keys import ManageKeys

_decoder = msgspec.json.Decoder(NewApiKey)


class KeyRoutes:
    """/api/keys and /api/ws-tickets."""

    def __init__(self, keys: ManageKeys, turns: Turns, ticket_secret: bytes | None, *, body: Deadline) -> None:
        self._keys = keys
        self._turns = turns
        self._ticket_secret = ticket_secret
        self._body = body

    async def create(self, request: Request) -> Answer:
        """Make a key."""
        caller = caller_of(request)
        body = await read_json(caller.headers, request.receive, MAX_BODY, self._body)
        return json_answer(201, await self._keys.create(decode(_decoder, body), caller.principal))

    async def all(self, request: Request) -> Answer:
        """Return the keys of the caller's account."""
        caller = caller_of(request).principal
        keys = await self._turns.take(caller, partial(self._keys.of_account, caller.account))
        return json_answer(200, KeyList(keys))

    async def revoke(self, request: Request) -> Answer:
        """Make a key useless."""
        await self._keys.revoke(request.scope["path_params"]["keyId"], caller_of(request).principal.account)
        return empty_answer()

    async def ticket(self, request: Request) -> Answer:
        """Return a ticket that opens one WebSocket."""
        if self._ticket_secret is None:
            raise EngineError(ErrorCode.NOT_FOUND, "tickets are off: WS_TICKET_SECRET is not set")
        ticket = issue_ticket(caller_of(request).principal, self._ticket_secret)
        return json_answer(201, TicketView(ticket, TICKET_SECONDS))

    def endpoints(self) -> list[Endpoint]:
        """Return the routes."""
        return [
            Endpoint(
                method="POST",
                path="/api/keys",
                handle=self.create,
                summary="Make an API key; its secret is shown this once",
                group="keys",
                scope=Scope.KEYS,
                body=NewApiKey,
                example={"name": "trading desk", "scopes": ["orders:read", "orders:write"]},
                answers={201: ("The key", CreatedKey)},
                errors=(ErrorCode.BODY_INVALID, ErrorCode.BODY_TOO_LARGE, ErrorCode.UNSUPPORTED_MEDIA_TYPE),
            ),
            Endpoint(
                method="GET",
                path="/api/keys",
                handle=self.all,
                summary="The keys of the account, without their secrets",
                group="keys",
                scope=Scope.KEYS,
                answers={200: ("The keys", KeyList)},
            ),
            Endpoint(
                method="DELETE",
                path="/api/keys/{keyId}",
                handle=self.revoke,
                summary="Revoke a key; it works ten more seconds at most",
                group="keys",
                scope=Scope.KEYS,
                answers={204: ("Revoked", None)},
                errors=(ErrorCode.NOT_FOUND,),
            ),
            Endpoint(
                method="POST",
                path="/api/ws-tickets",
                handle=self.ticket,
                summary="A ticket with which a browser opens one WebSocket within 30 seconds",
                group="keys",
                scope=Scope.READ,
                answers={201: ("The ticket", TicketView)},
                errors=(ErrorCode.NOT_FOUND,),
            ),
        ]
