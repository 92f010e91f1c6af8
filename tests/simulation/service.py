"""What every process of a service is in the simulation, and what all of them share."""

import asyncio
from functools import cache
from random import Random
from typing import Any

import msgspec

from swaprail.broker.publisher import TopicPublisher
from swaprail.domain.tokens import TokenList, load_tokens
from tests.simulation.chain import VirtualChain
from tests.simulation.database import Server, VirtualDatabase
from tests.simulation.loop import Process, VirtualLoop
from tests.simulation.nodes import Character
from tests.simulation.topics import Topics, VirtualAppender
from tests.simulation.weather import Weather


@cache
def tokens() -> TokenList:
    """Return the tokens that are shipped."""
    return load_tokens(None)


class Surroundings(msgspec.Struct, frozen=True):
    """What all processes share."""

    loop: VirtualLoop
    rng: Random
    weather: Weather
    server: Server
    topics: Topics
    chain: VirtualChain
    characters: list[Character]
    commitment: str


class Service:
    """One process of a service, from its start to its death."""

    def __init__(self, around: Surroundings, name: str) -> None:
        self.around = around
        self.process = Process(name, skew_s=around.weather.skew())
        self.stopping = False

    def begin(self) -> None:
        """Start the process."""
        self.spawn(self.main())

    def spawn(self, work: Any) -> "asyncio.Task[Any]":
        """Run something in the process."""
        return self.around.loop.create_task(work, context=self.process.context)

    async def main(self) -> None:
        """Wire and start everything, in the process."""
        raise NotImplementedError

    async def stop(self) -> None:
        """Stop politely, as at SIGTERM."""
        raise NotImplementedError

    def _database(self) -> Any:
        return VirtualDatabase(self.around.server, self.process)

    def _publisher(self) -> TopicPublisher:
        around = self.around
        appender: Any = VirtualAppender(around.topics, self.process, around.loop, around.weather)
        return TopicPublisher(appender)
