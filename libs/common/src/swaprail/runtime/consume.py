"""Joins a topic to an intake: lease a batch in one commit, acknowledge it, only then work."""

from typing import Any

from faststream.redis import RedisBroker

from swaprail.broker.keeper import Consumption, StreamKeeper
from swaprail.broker.streams import Received, subscribe
from swaprail.runtime.intake import Intake
from swaprail.telemetry import tracing
from swaprail.telemetry.message_spans import process_spans


def consume(
    broker: RedisBroker, keeper: StreamKeeper, consumption: Consumption[Any], intake: Intake, owner: str
) -> None:
    """Read the topic as one of its group; a message is acknowledged when its orders' leases are committed."""

    async def take(messages: list[Any]) -> None:
        refs = [ref for message in messages for ref in message.orders]
        await intake.take(process_spans(consumption.topic, refs) if tracing.enabled() else refs)

    async def handle(received: Received[Any]) -> None:
        await keeper.dead_letter(consumption.topic, received.undecodable, "undecodable")
        await take(received.messages)
        keeper.acknowledge(consumption, received.entry_ids)
        # Nothing is held any more: not reading on is what makes lag grow where work outruns this process.
        await intake.wait_free()

    consumption.handle = take
    subscribe(broker, consumption.topic, consumption.message_type, handle, group=consumption.group, consumer=owner)
