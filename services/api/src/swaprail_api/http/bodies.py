"""Request bodies: bounded in bytes and in time, JSON only, decoded once."""

import re
from functools import cache
from typing import Any

import msgspec

from swaprail.domain.errors import EngineError, ErrorCode
from swaprail.strict_json import RepeatedNameError, decode_strictly
from swaprail_api.deadline import Deadline
from swaprail_api.http.answers import Receive
from swaprail_api.http.problems import invalid

type HeaderMap = dict[bytes, bytes]

_JSON = b"application/json"
_INTEGER = re.compile(r"0|[1-9][0-9]{0,17}")
MAX_BODY = 16 * 1024
MAX_BATCH_BODY = 128 * 1024


class Counted:
    """What a request is read from, and how much was: one without a Content-Length says nothing of its size before."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.received = 0

    async def receive(self) -> Any:
        """Return the next message of the request."""
        message = await self._receive()
        self.received += len(message.get("body", b""))
        return message


async def read_body(headers: HeaderMap, receive: Receive, limit: int, deadline: Deadline) -> bytes:
    """Return the body; EngineError body_too_large beyond limit bytes, however it is framed."""
    declared = headers.get(b"content-length", b"0")
    if not declared.isdigit() or int(declared) > limit:
        raise _too_large(limit)
    return await deadline.wait(_gather(receive, limit))


async def read_json(headers: HeaderMap, receive: Receive, limit: int, deadline: Deadline) -> bytes:
    """Return the body of a request that must be JSON; EngineError unsupported_media_type otherwise."""
    media_type = headers.get(b"content-type", b"")
    if media_type != _JSON and media_type.partition(b";")[0].strip().lower() != _JSON:
        raise EngineError(ErrorCode.UNSUPPORTED_MEDIA_TYPE, "the body must be application/json")
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise EngineError(ErrorCode.UNSUPPORTED_MEDIA_TYPE, "the body must not be compressed")
    return await read_body(headers, receive, limit, deadline)


def decode[T](decoder: msgspec.json.Decoder[T], body: bytes | msgspec.Raw, where: str = "") -> T:
    """Return the decoded body; EngineError body_invalid or validation_failed, naming the field below `where`."""
    try:
        if isinstance(body, msgspec.Raw):  # a part of a body that was looked through as a whole
            return decoder.decode(body)
        return decode_strictly(decoder, body)
    except RepeatedNameError as error:
        raise EngineError(ErrorCode.BODY_INVALID, f"an object of the body has {error.name!r} twice") from None
    except msgspec.DecodeError as error:
        raise invalid(error, where) from None
    except UnicodeDecodeError:
        raise EngineError(ErrorCode.BODY_INVALID, "the body is not UTF-8") from None
    except RecursionError:
        raise EngineError(ErrorCode.BODY_INVALID, "the body is nested too deeply") from None


def convert_fields[T](fields: dict[str, Any], to: type[T]) -> T:
    """Return text parameters as the struct that describes them; EngineError validation_failed."""
    try:
        return msgspec.convert(_with_integers(fields, to), to)
    except msgspec.ValidationError as error:
        raise invalid(error) from None


def _with_integers(fields: dict[str, Any], to: type) -> dict[str, Any]:
    # Not left to msgspec, which takes 1e1 and 10.0 for integers and the word null for nothing.
    integers = _integers_of(to)
    return {name: int(text) if name in integers and _INTEGER.fullmatch(text) else text for name, text in fields.items()}


@cache
def _integers_of(to: type) -> frozenset[str]:
    found = msgspec.inspect.type_info(to)
    assert isinstance(found, msgspec.inspect.StructType)
    return frozenset(field.encode_name for field in found.fields if _is_integer(field.type))


def _is_integer(kind: msgspec.inspect.Type) -> bool:
    bare = kind.type if isinstance(kind, msgspec.inspect.Metadata) else kind  # a description wraps it
    return isinstance(bare, msgspec.inspect.IntType)


async def _gather(receive: Receive, limit: int) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body") and len(body) <= limit:
        message = await receive()
        body += message.get("body", b"")
    if message["type"] == "http.disconnect":
        raise EngineError(ErrorCode.BODY_INVALID, "the client went away")
    if len(body) > limit:
        raise _too_large(limit)
    return body


def _too_large(limit: int) -> EngineError:
    return EngineError(ErrorCode.BODY_TOO_LARGE, f"the body may have at most {limit} bytes")
