"""Ask the router what each venue would give now."""

import asyncio
import time
from typing import Any, Protocol

import msgspec
from faststream.exceptions import IncorrectState

from swaprail.broker.connect import AWAY
from swaprail.clock import database_time
from swaprail.domain.amounts import parse_decimal, to_base_units
from swaprail.domain.errors import EngineError, ErrorCode
from swaprail.domain.quotes import QuoteResult
from swaprail.domain.tokens import TokenList
from swaprail.messages.topics import QuotesAnswered, QuotesAsked, Topic
from swaprail.telemetry.incidents import Incident
from swaprail_api.schemas.quotes import QuoteList, quote_view
from swaprail_api.schemas.requests import QuotesQuery
from swaprail_api.usecases.check_order import find_pair

_SHARE_OF_VENUES = 0.8  # the rest of the time is for the way there and back
_MAX_ASKING = 256

_encode = msgspec.json.Encoder().encode
_answered = msgspec.json.Decoder(QuotesAnswered).decode
_results = msgspec.json.Decoder(list[QuoteResult]).decode


class Requester(Protocol):
    """The part of the broker that asks and awaits a reply."""

    async def request(self, message: bytes, *, stream: str, timeout: float, maxlen: int) -> Any:  # noqa: ASYNC109
        """Publish and return the reply."""
        ...


class AskQuotes:
    """Asks for quotes."""

    def __init__(self, broker: Requester, tokens: TokenList, *, timeout_s: float, max_entries: int) -> None:
        """Give a request so many seconds, with all that it has waited for before it comes here."""
        self._broker = broker
        self._tokens = tokens
        self._timeout_s = timeout_s
        self._max_entries = max_entries
        self._incident = Incident("questions for quotes get no answer", "questions for quotes are answered again")
        self._requests: set[asyncio.Task[Any]] = set()

    async def run(self, query: QuotesQuery, arrived: float, trace: str | None) -> QuoteList:
        """Return the venues' answers, best first; EngineError quotes_unavailable if no router answers in time.

        arrived: when the request did, by time.monotonic().
        """
        given, wanted = find_pair(self._tokens, query.input_token, query.output_token)
        amount = to_base_units(parse_decimal(query.input_amount, "inputAmount"), given.decimals, "inputAmount")
        timeout_s = max(0.0, arrived + self._timeout_s - time.monotonic())
        deadline_ms = int(timeout_s * _SHARE_OF_VENUES * 1000)
        asked = QuotesAsked(given.mint, wanted.mint, amount, deadline_ms, trace, asked_ms=int(database_time() * 1000))
        results = await self._ask(asked, timeout_s)
        return QuoteList([quote_view(result, given.decimals, wanted.decimals) for result in results])

    async def _ask(self, asked: QuotesAsked, timeout_s: float) -> list[QuoteResult]:
        if len(self._requests) >= _MAX_ASKING:
            raise EngineError(ErrorCode.QUOTES_UNAVAILABLE, "too many quotes are being asked for")
        request = self._begin(asked, timeout_s)
        try:
            # Shielded: what the broker tidies up when it is cancelled goes to Redis too, which may be beyond reach.
            async with asyncio.timeout(timeout_s):
                reply = await asyncio.shield(request)
            results = _results(_answered(reply.body).quotes)
        except (*AWAY, IncorrectState, msgspec.MsgspecError) as error:
            # IncorrectState: the broker has never been connected.
            self._incident.failed(error)
            raise EngineError(ErrorCode.QUOTES_UNAVAILABLE, f"no quotes ({type(error).__name__})") from error
        finally:
            request.cancel()
        self._incident.succeeded()
        return results

    def _begin(self, asked: QuotesAsked, timeout_s: float) -> "asyncio.Task[Any]":
        request = asyncio.create_task(
            self._broker.request(_encode(asked), stream=str(Topic.QUOTES), timeout=timeout_s, maxlen=self._max_entries),
            name="quotes",
        )
        self._requests.add(request)
        request.add_done_callback(self._done)
        return request

    def _done(self, request: "asyncio.Task[Any]") -> None:
        self._requests.discard(request)
        if not request.cancelled():
            request.exception()  # told to whoever waits, if anybody does
