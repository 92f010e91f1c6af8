"""Answers: bytes encoded once, sent without another copy."""

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

import msgspec

type Message = MutableMapping[str, Any]
type Scope = MutableMapping[str, Any]
type Receive = Callable[..., Awaitable[Any]]
type Send = Callable[[Message], Awaitable[None]]
type Headers = Sequence[tuple[bytes, bytes]]

JSON = (b"content-type", b"application/json")
PROBLEM = (b"content-type", b"application/problem+json")
# Answers are private to a key, and nothing in them is ever to be guessed to be HTML.
_ALWAYS = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))

encode = msgspec.json.Encoder(decimal_format="string").encode


class Answer:
    """An HTTP response whose body is already bytes; an ASGI application."""

    __slots__ = ("body", "headers", "status")

    def __init__(
        self, status: int, body: bytes, content_type: tuple[bytes, bytes] = JSON, headers: Headers = ()
    ) -> None:
        self.status = status
        self.body = body
        self.headers = [content_type, (b"content-length", b"%d" % len(body)), *_ALWAYS, *headers]

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send the response."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})


def json_answer(status: int, content: object, headers: Headers = ()) -> Answer:
    """Return an answer with content encoded as JSON."""
    return Answer(status, encode(content), JSON, headers)


def empty_answer(*headers: tuple[bytes, bytes]) -> Answer:
    """Return 204."""
    answer = Answer(204, b"")
    answer.headers = [*_ALWAYS, *headers]
    return answer
