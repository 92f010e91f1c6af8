"""The topic orders.events: every replica reads all of it. It makes the notifier fast; nothing is believed of it."""

from faststream.redis import RedisBroker

from swaprail.broker.keeper import StreamKeeper
from swaprail.broker.streams import Received, make_broker, subscribe
from swaprail.messages.topics import OrderEvents, Topic
from swaprail.runtime.service import worker_name
from swaprail.telemetry.message_spans import process_event
from swaprail_notifier import metrics
from swaprail_notifier.hub import Hub
from swaprail_notifier.settings import NotifierSettings
from swaprail_notifier.turns import Turns


class Feed:
    """Hands the topic's events to the hub."""

    def __init__(self, settings: NotifierSettings, hub: Hub) -> None:
        self._hub = hub
        broker: RedisBroker = make_broker(settings)
        subscribe(broker, Topic.EVENTS, OrderEvents, self._take)
        self._keeper = StreamKeeper(settings, broker, worker_name(settings), [])

    async def start(self) -> None:
        """Begin to read, now or when Redis is there."""
        await self._keeper.start()

    async def stop(self) -> None:
        """Stop reading and close the connections."""
        await self._keeper.stop_consuming()
        await self._keeper.stop()

    async def check_redis(self) -> None:
        """Raise EngineError unavailable while Redis is away."""
        await self._keeper.check_redis()

    async def check_subscribers(self) -> None:
        """Raise EngineError unavailable when the subscriber is dead though Redis is there."""
        await self._keeper.check_subscribers()

    async def _take(self, received: Received[OrderEvents]) -> None:
        turns = Turns()
        for message in received.messages:
            for event in message.events:
                if event.trace is not None:
                    process_event(event)
                self._hub.take(event)
                await turns.share()
        if received.undecodable:
            metrics.TOPIC_UNDECODABLE.inc(len(received.undecodable))
