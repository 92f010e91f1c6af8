"""The FastStream broker and the consumer side of topics."""

import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from faststream import AckPolicy
from faststream.redis import RedisBroker, StreamSub
from faststream.redis.message import RedisBatchStreamMessage, bDATA_KEY
from faststream.redis.parser import BinaryMessageFormatV1

from swaprail.broker.connect import deadlines
from swaprail.broker.observe import published_ms
from swaprail.messages.topics import Group, Topic
from swaprail.settings import Settings
from swaprail.telemetry import metrics
from swaprail.telemetry.logging import get_logger

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
        **deadlines(settings, blocking_s=BLOCK_MS / 1000),
    )


class _Stream(StreamSub[Any]):
    """A stream without a prefix: FastStream copies it at every message only to add one."""

    def add_prefix(self, prefix: str) -> "_Stream":
        assert not prefix
        return self


class Received[Message]:
    """Entries read together: the messages, and the raw entries that are none."""

    def __init__(self, messages: list[Message], undecodable: list[bytes], source: RedisBatchStreamMessage) -> None:
        self.messages = messages
        self.undecodable = undecodable
        self._source = source

    @property
    def entry_ids(self) -> list[bytes]:
        """What to acknowledge."""
        return self._source.raw_message["message_ids"]


def decode_entries[Message](
    entries: list[dict[bytes, bytes]], message_type: type[Message]
) -> tuple[list[Message], list[bytes]]:
    """Return the messages in raw stream entries, and those entries that cannot be decoded."""
    messages: list[Message] = []
    undecodable: list[bytes] = []
    for entry in entries:
        raw = entry.get(bDATA_KEY, b"")
        try:
            body, _ = BinaryMessageFormatV1.parse(raw)
            messages.append(msgspec.json.decode(body, type=message_type))
        except (msgspec.MsgspecError, ValueError, TypeError):
            undecodable.append(
                raw or msgspec.json.encode({k.decode(errors="replace"): len(v) for k, v in entry.items()})
            )
    return messages, undecodable


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

    waited = metrics.MESSAGE_WAIT.labels(topic)

    async def parse(raw: Any) -> RedisBatchStreamMessage:
        connection = broker.config.connection.client
        return RedisBatchStreamMessage(
            raw_message=raw, body=b"", consumer=connection, group=str(group) if group else None
        )

    async def decode(message: RedisBatchStreamMessage) -> Received[Message]:
        messages, undecodable = decode_entries(message.raw_message["data"], message_type)
        received = Received(messages, undecodable, message)
        now = time.time()
        for entry_id in received.entry_ids:
            waited.observe(max(0.0, now - published_ms(entry_id) / 1000))
        return received

    policy = AckPolicy.MANUAL if group else AckPolicy.ACK_FIRST
    subscriber = broker.subscriber(stream=read, parser=parse, decoder=decode, ack_policy=policy)
    subscriber(handle)
    return subscriber
