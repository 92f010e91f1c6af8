"""The FastStream broker and the consumer side of topics."""

import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, NamedTuple

import msgspec
from faststream import AckPolicy
from faststream.redis import RedisBroker, StreamSub
from faststream.redis.message import bDATA_KEY
from faststream.redis.parser import BinaryMessageFormatV1

from swaprail.broker.connect import connection_options
from swaprail.broker.observe import published_ms
from swaprail.messages.topics import VERSION, Group, Topic
from swaprail.settings import Settings
from swaprail.telemetry import metrics
from swaprail.telemetry.logging import get_logger
from swaprail.telemetry.registry import start_at_zero

log = get_logger(__name__)

BLOCK_MS = 1000
MAX_ENTRIES = 64
# Of one broker. Every request that awaits a reply takes one: publishing must find another beside all of them.
MAX_CONNECTIONS = 1_000


def make_broker(settings: Settings) -> RedisBroker:
    """Return a broker whose every command has a deadline; it is not yet connected."""
    return RedisBroker(
        settings.redis_dsn,
        apply_types=False,
        logger=logging.getLogger("faststream"),
        log_level=logging.DEBUG,
        graceful_timeout=settings.drain_timeout_s,
        max_connections=MAX_CONNECTIONS,
        health_check_interval=15,
        **connection_options(settings, blocking_s=BLOCK_MS / 1000),
    )


class _Stream(StreamSub[Any]):
    """A stream without a prefix: FastStream copies it at every message only to add one."""

    def add_prefix(self, prefix: str) -> "_Stream":
        assert not prefix
        return self


class Received[Message](NamedTuple):
    """Entries read together: the messages, the raw entries that are none, and all their ids, to be acknowledged.

    unknown: entries of a version that this release does not know.
    """

    messages: list[Message]
    undecodable: list[bytes]
    entry_ids: list[bytes]
    unknown: list[bytes]


class _Versioned(msgspec.Struct):
    """What every message has, of whatever version."""

    version: int


def decode_entries[Message](
    entries: list[dict[bytes, bytes]], entry_ids: list[bytes], message_type: type[Message]
) -> Received[Message]:
    """Return what raw stream entries hold."""
    received: Received[Message] = Received([], [], entry_ids, [])
    for entry in entries:
        raw, body = entry.get(bDATA_KEY, b""), b""
        try:
            body, _ = BinaryMessageFormatV1.parse(raw)
            message: Any = msgspec.json.decode(body, type=message_type)
        except (msgspec.MsgspecError, ValueError, TypeError):
            whole = raw or msgspec.json.encode({k.decode(errors="replace"): len(v) for k, v in entry.items()})
            (received.unknown if _is_unknown(body) else received.undecodable).append(whole)
            continue
        if message.version == VERSION:
            received.messages.append(message)
        else:
            received.unknown.append(raw)
    return received


def _is_unknown(body: bytes) -> bool:
    """Tell whether a body that cannot be decoded says that it is of another version."""
    try:
        return msgspec.json.decode(body, type=_Versioned).version != VERSION
    except msgspec.MsgspecError:
        return False


def subscribe[Message](
    broker: RedisBroker,
    topic: Topic,
    message_type: type[Message],
    handle: Callable[[Received[Message]], Awaitable[None]],
    *,
    group: Group | None = None,
    consumer: str | None = None,
) -> Any:
    """Read a topic: as one of a consumer group, or, without a group, every entry from now on.

    The handler acknowledges; what it does not acknowledge stays pending and is claimed later.
    """
    read = _Stream(
        str(topic),
        group=str(group) if group else None,
        consumer=consumer,
        batch=True,
        max_records=MAX_ENTRIES,
        polling_interval=BLOCK_MS,
        last_id=">" if group else "$",
    )

    start_at_zero(metrics.MESSAGE_WAIT, [topic])
    policy = AckPolicy.MANUAL if group else AckPolicy.ACK_FIRST
    subscriber = broker.subscriber(stream=read, ack_policy=policy)
    subscriber(handle)
    subscriber.consume_one = partial(_deliver, subscriber, topic, message_type, handle)  # type: ignore[method-assign]
    return subscriber


async def _deliver[Message](
    subscriber: Any,
    topic: Topic,
    message_type: type[Message],
    handle: Callable[[Received[Message]], Awaitable[None]],
    raw: Any,
) -> None:
    """Give the handler what was read.

    In place of FastStream's way from entries to handler: middlewares, a context and dependencies that none of ours
    uses, and at a hundred orders a second a tenth of a service's time.
    """
    if not subscriber.running:
        return
    with subscriber.lock:  # stopping waits for it
        received = decode_entries(raw["data"], raw["message_ids"], message_type)
        now, waited = time.time(), metrics.MESSAGE_WAIT.labels(topic)
        for entry_id in raw["message_ids"]:
            waited.observe(max(0.0, now - published_ms(entry_id) / 1000))
        try:
            await handle(received)
        except Exception:
            metrics.OPERATIONAL_ERRORS.labels("unexpected").inc()
            log.exception("entries not taken; they will be claimed", topic=topic, entries=len(received.messages))
