"""Requests that place orders, and what is kept of their answers."""

from typing import NamedTuple
from uuid import uuid4

import msgspec

from tests.load.http_lane import Answer

ACCEPTED = 202
WALLETS = 97


class Placed(msgspec.Struct, rename="camel"):
    """The part of an order that is needed here."""

    order_id: str


class Post(NamedTuple):
    """One accepted order: when its request was sent (seconds since 1970), how long the answer took (seconds)."""

    order_id: str
    sent: float
    took: float


class RefusedError(RuntimeError):
    """The engine did not accept an order."""


_placed = msgspec.json.Decoder(Placed).decode


def request_of(number: int, *, key: bool = False) -> bytes:
    """Return a request that places and executes an order; wallets and amounts vary with the number."""
    body = (
        f'{{"userWallet":"wallet-{number % WALLETS}","inputToken":"SOL","outputToken":"USDC",'
        f'"inputAmount":"{number % 4}.{1 + number % 9}","slippageBps":500}}'
    )
    named = f"idempotency-key: {uuid4()}\r\n" if key else ""
    head = f"POST /api/orders/execute HTTP/1.1\r\nhost: engine\r\n{named}content-type: application/json\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n{body}".encode()


def order_id_of(answer: Answer) -> str:
    if answer.status != ACCEPTED:
        raise RefusedError(f"{answer.status}: {answer.body[:500]!r}")
    return _placed(answer.body).order_id
