"""Quotes without an order."""

from functools import partial

from swaprail.auth import Scope
from swaprail.domain.errors import ErrorCode
from swaprail_api.http.answers import Answer, json_answer
from swaprail_api.http.endpoints import Endpoint
from swaprail_api.http.requests import Request, caller_of, query_of
from swaprail_api.schemas.quotes import QuoteList
from swaprail_api.schemas.requests import QuotesQuery
from swaprail_api.turns import Turns
from swaprail_api.usecases.ask_quotes import AskQuotes


class QuoteRoutes:
    """/api/quotes."""

    def __init__(self, ask: AskQuotes, turns: Turns) -> None:
        self._ask = ask
        self._turns = turns

    async def quotes(self, request: Request) -> Answer:
        """Return what each venue would give now."""
        query = query_of(request, QuotesQuery)
        caller = caller_of(request)
        ask = partial(self._ask.run, query, request.arrived, caller.trace)
        return json_answer(200, await self._turns.take(caller.principal, ask))

    def endpoints(self) -> list[Endpoint]:
        """Return the routes."""
        return [
            Endpoint(
                method="GET",
                path="/api/quotes",
                handle=self.quotes,
                summary="What each venue would give now, best first, without an order",
                group="quotes",
                scope=Scope.READ,
                query=QuotesQuery,
                answers={200: ("The venues' answers", QuoteList)},
                errors=(
                    ErrorCode.AMOUNT_INVALID,
                    ErrorCode.AMOUNT_TOO_PRECISE,
                    ErrorCode.TOKEN_UNKNOWN,
                    ErrorCode.TOKENS_EQUAL,
                    ErrorCode.QUOTES_UNAVAILABLE,
                ),
            ),
        ]
