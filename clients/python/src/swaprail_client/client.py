"""The client: one method for each call of the engine."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta
from decimal import Decimal
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote
from uuid import UUID

import msgspec
from websockets.asyncio.client import connect

from swaprail_client.address import Address
from swaprail_client.errors import SwaprailError
from swaprail_client.keys import ApiKey, NewApiKey
from swaprail_client.orders import BatchResult, NewOrder, Order, OrderPage, Quote, StatusMessage, amount_text
from swaprail_client.retries import Backoff
from swaprail_client.sockets import Patience, open_socket
from swaprail_client.transport import Transport
from swaprail_client.watching import order_path, watch_order, watch_wallet

MAX_PAGE = 200


class _Events(msgspec.Struct):
    events: list[StatusMessage]


class _Quotes(msgspec.Struct):
    quotes: list[Quote]


class _Results(msgspec.Struct):
    results: Sequence[BatchResult]


class _Keys(msgspec.Struct):
    keys: list[ApiKey]


class SwaprailClient:
    """Talks to one engine; use it as an async context manager.

    Every call raises SwaprailError when it does not succeed. Calls that change something carry an Idempotency-Key:
    yours, of 1 to 255 visible ASCII characters, or one made for the call. They are repeated under the same key while `timeout` lasts.

    Args:
        base_url: for example http://127.0.0.1:3000
        api_key: sent as a bearer token.
        timeout: seconds that a call may take with all its retries.
        try_timeout: seconds that one try of a call may wait.
        give_up_after: seconds that a stream goes on reconnecting without success.
        backoff: the waits between tries.

    Raises:
        ValueError: the URL, the key, or a proxy or certificates named by the environment cannot be right.

    """

    def __init__(
        self,
        base_url: str,
        api_key: str | None = None,
        timeout: float = 30.0,
        *,
        try_timeout: float = 10.0,
        give_up_after: float = 60.0,
        backoff: Backoff | None = None,
    ) -> None:
        self._address = Address(base_url, api_key)
        self._backoff = backoff or Backoff()
        self._give_up_after = give_up_after
        self._transport = Transport(self._address, timeout=timeout, try_timeout=try_timeout, backoff=self._backoff)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    async def submit(self, order: NewOrder, *, execute: bool = True, idempotency_key: str | None = None) -> Order:
        """Post an order; without execute it stays PENDING until execute() is called."""
        path = "/api/orders/execute" if execute else "/api/orders"
        return _read(await self._transport.post(path, order, key=idempotency_key), Order)

    async def batch(
        self, orders: Sequence[NewOrder], *, execute: bool = True, idempotency_key: str | None = None
    ) -> Sequence[BatchResult]:
        """Post up to 100 orders in one commit; each has a result of its own, in the same order."""
        body = {"orders": orders, "execute": execute}
        return _read(await self._transport.post("/api/orders/batch", body, key=idempotency_key), _Results).results

    async def execute(self, order_id: UUID | str, *, idempotency_key: str | None = None) -> Order:
        """Queue a PENDING order; of many calls one wins, the others raise order_status_mismatch."""
        return _read(await self._transport.post(f"{_order(order_id)}/execute", key=idempotency_key), Order)

    async def cancel(self, order_id: UUID | str, *, idempotency_key: str | None = None) -> Order:
        """Cancel an order, or raise order_not_cancellable when it may still land."""
        try:
            return _read(await self._transport.post(f"{_order(order_id)}/cancel", key=idempotency_key), Order)
        except SwaprailError as error:
            # The answer to an earlier try was lost, and a later one found its work done.
            if error.in_doubt and error.extra.get("found") == "CANCELLED":
                return await self.get(order_id)
            raise

    async def get(self, order_id: UUID | str) -> Order:
        """Return an order with its route, quotes, attempts and the time of each step."""
        return _read(await self._transport.get(_order(order_id)), Order)

    async def events(self, order_id: UUID | str, after: int = 0) -> Sequence[StatusMessage]:
        """Return the steps so far, from seq after + 1 on."""
        return _read(await self._transport.get(f"{_order(order_id)}/events", after=after), _Events).events

    async def list(
        self, wallet: str, limit: int = 50, cursor: str | None = None, status: str | None = None
    ) -> OrderPage:
        """Return one page of a wallet's orders, newest first; limit is 1 to 200."""
        path = f"/api/orders/user/{quote(wallet, safe='')}"
        return _read(await self._transport.get(path, limit=limit, cursor=cursor, status=status), OrderPage)

    async def list_all(
        self, wallet: str, status: str | None = None, page: int = MAX_PAGE
    ) -> AsyncGenerator[Order, None]:
        """Yield all of a wallet's orders, newest first, page by page."""
        cursor: str | None = None
        while True:
            found = await self.list(wallet, page, cursor, status)
            for order in found.orders:
                yield order
            cursor = found.next_cursor
            if cursor is None:
                return

    async def quote(self, input_token: str, output_token: str, input_amount: str | int | Decimal) -> Sequence[Quote]:
        """Return what each venue would give now, best first; discarded answers tell why."""
        amount = amount_text(input_amount)
        query = {"inputToken": input_token, "outputToken": output_token, "inputAmount": amount}
        return _read(await self._transport.get("/api/quotes", **query), _Quotes).quotes

    async def health(self) -> dict[str, Any]:
        """Return what works and what does not; the member `healthy` says whether orders can be taken."""
        status, body = await self._transport.probe("/health")
        found = _read(body, dict[str, Any])
        return {**found, "healthy": status == 200 and found.get("ready") is not False}

    async def clock_offset(self) -> timedelta:
        """Return how far the engine's clock is before this machine's, to about a second."""
        return await self._transport.clock_offset("/health/live")

    async def watch(self, order_id: UUID | str, after: int = 0) -> AsyncGenerator[StatusMessage, None]:
        """Yield the steps after seq `after`, each once and in order, over any number of connections, to the last.

        Wrap it in contextlib.aclosing when you may stop early.

        Raises:
            SwaprailError: the server refuses, or connection_lost when it cannot be reached for give_up_after seconds.

        """
        if after > 0 and await self._has_ended(order_id, after):
            return
        async with aclosing(watch_order(self._address, order_id, after, self._patience())) as steps:
            async for message in steps:
                yield message

    async def watch_wallet(self, wallet: str, after: datetime | None = None) -> AsyncGenerator[StatusMessage, None]:
        """Yield the steps of a wallet's orders, each once, from a time on or from now on; it never ends by itself."""
        stream = watch_wallet(self._address, wallet, after, self._patience(), self.events)
        async with aclosing(stream) as steps:
            async for message in steps:
                yield message

    def open_stream(self, order_id: UUID | str, after: int = 0) -> connect:
        """Return the context manager of one plain connection to an order's stream, which does not reconnect."""
        return open_socket(self._address, order_path(order_id), after=after)

    async def create_key(self, name: str, scopes: Sequence[str], expires_at: datetime | None = None) -> NewApiKey:
        """Make a key of the caller's account, whose text is told only now. Needs the scope keys:manage."""
        body = {"name": name, "scopes": scopes, **({"expiresAt": expires_at} if expires_at else {})}
        return _read(await self._transport.send_once("POST", "/api/keys", body), NewApiKey)

    async def keys(self) -> Sequence[ApiKey]:
        """Return the account's keys, without their secrets. Needs the scope keys:manage."""
        return _read(await self._transport.get("/api/keys"), _Keys).keys

    async def revoke_key(self, key_id: str) -> None:
        """Make a key invalid for good. Needs the scope keys:manage."""
        await self._transport.send_once("DELETE", f"/api/keys/{quote(key_id, safe='')}")

    def _patience(self) -> Patience:
        return Patience(self._address, self._backoff, self._give_up_after)

    async def _has_ended(self, order_id: UUID | str, after: int) -> bool:
        order = await self.get(order_id)
        return order.ended and order.seq <= after


def _order(order_id: UUID | str) -> str:
    return f"/api/orders/{quote(str(order_id), safe='')}"


def _read[T](body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        hint = "Is the URL that of a Swaprail engine, and its version close to the client's?"
        raise SwaprailError("invalid_answer", str(error), title="The answer was not understood", hint=hint) from None
