"""Appends entries to topics over a connection of its own."""

from collections.abc import Sequence
from typing import Any

from faststream.redis import RedisBroker
from faststream.redis.message import DATA_KEY
from faststream.redis.parser import BinaryMessageFormatV1
from redis.exceptions import ConnectionError as ConnectionLostError

from swaprail.messages.topics import Topic

type Entry = tuple[Topic, bytes]


class Appender:
    """Entries as FastStream writes them, one batch at a time, in one round trip.

    Not by the broker's pool: it asks a connection whether it still lives before every command, and keeps books of it,
    which is more than half of what publishing costs.
    """

    def __init__(self, broker: RedisBroker, *, max_entries: int) -> None:
        """Keep about max_entries entries in each topic."""
        self._broker = broker
        self._limit = ("MAXLEN", "~", max_entries, "*", DATA_KEY)
        self._connection: Any = None
        self._envelope = b""  # the same around every entry: nothing in it depends on the body

    async def append(self, entries: Sequence[Entry]) -> None:
        """Append the entries in order. After an error any of them may have been appended."""
        used = self._connection is not None
        try:
            await self._send(entries)
        except ConnectionLostError:
            # Redis may have been away and be back: then the old connection is the only thing that broke.
            if not used:
                raise
            await self._send(entries)

    async def close(self) -> None:
        """Close the connection; the next entry opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect()

    async def _send(self, entries: Sequence[Entry]) -> None:
        if self._connection is None:
            await self._connect()
        connection = self._connection
        commands = [("XADD", str(topic), *self._limit, self._envelope + body) for topic, body in entries]
        try:
            await connection.send_packed_command(connection.pack_commands(commands))
            answers = [await connection.read_response() for _ in commands]
        except BaseException:
            # Answers that were not read would be taken for those of the next entries.
            await self._drop()
            raise
        assert len(answers) == len(entries)

    async def _connect(self) -> None:
        pool = self._broker.config.connection.client.connection_pool
        connection = pool.make_connection()
        await connection.connect()
        self._envelope = await BinaryMessageFormatV1.encode(
            message=b"", reply_to=None, headers=None, correlation_id="", serializer=None
        )
        self._connection = connection

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        await connection.disconnect(nowait=True)
