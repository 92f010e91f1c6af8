"""A TCP proxy for one link, whose toxics can be changed while connections are open."""

import asyncio
import random
import socket
import struct

from swaprail_local.servers.ports import LOOPBACK, free_port
from tests.faults.network.connection import Proxied
from tests.faults.network.toxics import HEALTHY, Knock, Toxic

BACKLOG = 512


class Proxy:
    """Listens on a port of its own and joins whoever connects to the server. The same seed makes the same choices."""

    def __init__(self, host: str, port: int, *, seed: int = 0) -> None:
        self._server = (host, port)
        self._random = random.Random(seed)
        self._connections: set[Proxied] = set()
        self._ignored: list[socket.socket] = []
        self._accepting: asyncio.Task[None] | None = None
        self._serving: set[asyncio.Task[None]] = set()
        self.toxic = HEALTHY
        self.accepted = 0
        self._listener = socket.socket()
        self._listener.setblocking(False)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # A port bound by its number stays ours while nothing listens on it.
        self.port = free_port()
        self._listener.bind((LOOPBACK, self.port))

    @property
    def connections(self) -> int:
        """How many are open, at either side."""
        return len(self._connections)

    def start(self) -> None:
        """Listen."""
        self._listener.listen(BACKLOG)
        self._accepting = asyncio.create_task(self._accept(), name=f"proxy {self.port}")

    async def set(self, toxic: Toxic) -> None:
        """Change the state of the link, for open connections as well."""
        before, self.toxic = self.toxic, toxic
        if toxic.knock is not before.knock:
            await self._answer_knocks(before.knock, toxic.knock)
        if toxic.knock is Knock.REFUSED or toxic.reset_within:
            self.reset()
        for connection in list(self._connections):
            connection.change(toxic)

    def point_to(self, port: int) -> None:
        """Join whoever connects from now on to another server; connections that are open stay where they are."""
        self._server = (self._server[0], port)

    async def heal(self) -> None:
        """Let everything pass again."""
        await self.set(HEALTHY)

    def reset(self) -> None:
        """Reset (RST) every connection, at both ends."""
        for connection in list(self._connections):
            connection.reset()

    async def close(self) -> None:
        """Close everything."""
        await self._stop_accepting()
        self.reset()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        self._forget_ignored()
        self._listener.close()

    async def _answer_knocks(self, before: Knock, now: Knock) -> None:
        await self._stop_accepting()
        if now is Knock.REFUSED:
            # Listens no more, but keeps the port.
            self._listener.shutdown(socket.SHUT_RDWR)
            return
        if now is Knock.IGNORED:
            self._listener.listen(0)
            self._fill_backlog()
            return
        if before is Knock.IGNORED:
            self._forget_ignored()
        self.start()

    def _fill_backlog(self) -> None:
        """Take the places of the backlog ourselves, so that the next handshake gets no answer."""
        for _ in range(2):
            place = socket.socket()
            place.setblocking(False)
            place.connect_ex((LOOPBACK, self.port))
            self._ignored.append(place)

    def _forget_ignored(self) -> None:
        for place in self._ignored:
            place.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            place.close()
        self._ignored.clear()

    async def _stop_accepting(self) -> None:
        if self._accepting is not None:
            self._accepting.cancel()
            await asyncio.gather(self._accepting, return_exceptions=True)
            self._accepting = None

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            client, _ = await loop.sock_accept(self._listener)
            self.accepted += 1
            task = asyncio.create_task(self._serve(client), name=f"proxy {self.port} connection")
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)

    async def _serve(self, client: socket.socket) -> None:
        connection = Proxied(client, self.toxic, random.Random(self._random.random()))
        self._connections.add(connection)
        try:
            await connection.run(self._server)
        finally:
            self._connections.discard(connection)
