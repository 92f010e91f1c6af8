"""Joins a topic to an intake: take the orders that a message hands over, then acknowledge it."""

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
    """Read the topic as one of its group. If this process dies, the leases that came with the orders lapse."""

    async def take(messages: list[Any]) -> None:
        items = [item for message in messages for item in message.orders]
        intake.take(process_spans(consumption.topic, items) if tracing.enabled() else items)

    async def handle(received: Received[Any]) -> None:
        await keeper.set_aside(consumption.topic, received)
        await take(received.messages)
        keeper.acknowledge(consumption, received.entry_ids)
        # Nothing is held any more: not reading on is what makes lag grow where work outruns this process.
        await intake.wait_free()

    consumption.handle = take
    subscribe(broker, consumption.topic, consumption.message_type, handle, group=consumption.group, consumer=owner)
