"""Acknowledges entries a moment after their orders were taken, many with one command."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from swaprail.broker.connect import AWAY
from swaprail.messages.topics import Group, Topic
from swaprail.telemetry.incidents import Incident

DELAY_S = 0.05


class Acknowledger:
    """Gathers acknowledgements. One that is lost costs nothing: the entry is claimed, and its leases have lapsed."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._incident = Incident("entries not acknowledged; they will be claimed", "entries are acknowledged again")
        self._waiting: dict[tuple[Topic, Group], list[bytes]] = defaultdict(list)
        self._task: asyncio.Task[None] | None = None

    def add(self, topic: Topic, group: Group, entry_ids: Sequence[bytes]) -> None:
        """Acknowledge the entries soon; returns at once."""
        self._waiting[topic, group] += entry_ids
        if self._task is None:
            self._task = asyncio.create_task(self._flush_later(), name="acknowledger")

    async def flush(self) -> None:
        """Acknowledge what waits."""
        waiting, self._waiting = self._waiting, defaultdict(list)
        for (topic, group), entry_ids in waiting.items():
            try:
                await self._client.xack(str(topic), str(group), *entry_ids)
            except AWAY as error:
                self._incident.failed(error)
            else:
                self._incident.succeeded()

    async def _flush_later(self) -> None:
        await asyncio.sleep(DELAY_S)
        self._task = None
        await self.flush()
