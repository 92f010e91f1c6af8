"""Answer a quote request: what each venue would give now, without an order."""

from typing import Any

import msgspec
from faststream import AckPolicy
from faststream.redis import RedisBroker, StreamSub
from faststream.redis.message import RedisStreamMessage

from swaprail.broker.keeper import StreamKeeper
from swaprail.broker.observe import published_ms
from swaprail.broker.streams import BLOCK_MS
from swaprail.clock import database_time
from swaprail.domain.quotes import QuoteRequest
from swaprail.messages.topics import VERSION, Group, QuotesAnswered, QuotesAsked, Topic
from swaprail.telemetry.metrics import MESSAGE_WAIT
from swaprail.telemetry.tracing import span
from swaprail_router.quoting import Quoting

AT_ONCE = 64
_encode = msgspec.json.Encoder().encode


async def answer_quotes(quoting: Quoting, asked: QuotesAsked) -> bytes:
    """Return the venues' answers, best first, encoded for the reply."""
    with span("answer quotes", asked.trace):
        request = QuoteRequest(asked.input_mint, asked.output_mint, asked.input_amount)
        routing, _ = await quoting.route(request, 0, None, deadline_s=asked.deadline_ms / 1000)
    return _encode(QuotesAnswered(msgspec.Raw(_encode(routing.quotes))))


def subscribe_quotes(broker: RedisBroker, keeper: StreamKeeper, quoting: Quoting, consumer: str) -> None:
    """Let one router of the group answer each request; one that nobody waits for any more is not answered."""
    stream = StreamSub(str(Topic.QUOTES), group=str(Group.ROUTER), consumer=consumer, polling_interval=BLOCK_MS)

    async def decode(message: RedisStreamMessage) -> QuotesAsked | None:
        try:
            asked = msgspec.json.decode(message.body, type=QuotesAsked)
        except msgspec.MsgspecError:
            await keeper.dead_letter(Topic.QUOTES, [message.body], "undecodable")
            return None
        if asked.version != VERSION:
            await keeper.dead_letter(Topic.QUOTES, [message.body], "version")
            return None
        waited_ms = _age_ms(asked, message)
        MESSAGE_WAIT.labels(Topic.QUOTES).observe(max(0.0, waited_ms / 1000))
        return asked if waited_ms < asked.deadline_ms else None

    async def handle(asked: QuotesAsked | None) -> bytes:
        return b"" if asked is None else await answer_quotes(quoting, asked)

    # A lost request is asked again by who waits for it, so it is acknowledged first.
    policy = AckPolicy.ACK_FIRST
    broker.subscriber(stream=stream, decoder=decode, ack_policy=policy, max_workers=AT_ONCE)(handle)


def _age_ms(asked: QuotesAsked, message: RedisStreamMessage) -> float:
    raw: Any = message.raw_message["message_ids"][0]
    return database_time() * 1000 - (asked.asked_ms or published_ms(raw))
