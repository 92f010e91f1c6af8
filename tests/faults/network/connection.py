"""One proxied connection: two lanes, each reading, delaying and delivering for itself."""

import asyncio
import contextlib
import random
import socket
import struct

from tests.faults.network.toxics import Knock, Toxic, Way

CHUNK = 65_536
QUEUE = 64
BANDWIDTH_STEP_S = 0.05


class Proxied:
    """Joins a client's socket with one to the server, under a toxic that may change."""

    def __init__(self, client: socket.socket, toxic: Toxic, chance: random.Random) -> None:
        self.toxic = toxic
        self.chance = chance
        self._client = client
        self._server: socket.socket | None = None
        self._lanes: list[Lane] = []
        self._over = asyncio.Event()
        self._changed = asyncio.Event()
        self._reset_after = chance.randrange(toxic.reset_within) if toxic.reset_within else None
        self._passed = 0

    async def run(self, server: tuple[str, int]) -> None:
        """Carry bytes until both ends are closed, or the connection is reset."""
        _prepare(self._client)
        tasks = [asyncio.create_task(self._carry(server)), asyncio.create_task(self._over.wait())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for end in filter(None, (self._client, self._server)):
                _close(end, abort=self._over.is_set())

    def change(self, toxic: Toxic) -> None:
        """Suffer from this from now on."""
        self.toxic = toxic
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
        if not toxic.swallow and any(lane.mute and lane.ended for lane in self._lanes):
            # Somebody hung up on a mute connection; now that packets pass again, the other end is told.
            self.reset()

    def reset(self) -> None:
        """Reset both ends."""
        self._over.set()

    async def passing(self, way: Way) -> None:
        """Return when nothing stalls this way."""
        while way in self.toxic.stall:
            await self._changed.wait()

    def count(self, size: int) -> None:
        """Count bytes that passed; so many of them may end the connection."""
        self._passed += size
        if self._reset_after is not None and self._passed > self._reset_after:
            self.reset()

    async def _carry(self, server: tuple[str, int]) -> None:
        while self.toxic.knock is not Knock.SERVED:
            await self._changed.wait()
        loop = asyncio.get_running_loop()
        self._server = socket.socket()
        _prepare(self._server)
        try:
            await loop.sock_connect(self._server, server)
        except OSError:
            self.reset()
            return
        if self._reset_after == 0:
            self.reset()
        self._lanes = [
            Lane(self, Way.UP, self._client, self._server),
            Lane(self, Way.DOWN, self._server, self._client),
        ]
        async with asyncio.TaskGroup() as group:
            for lane in self._lanes:
                group.create_task(lane.read())
                group.create_task(lane.deliver())


class Lane:
    """One direction of a connection. mute: bytes were lost, so none may follow."""

    def __init__(self, owner: Proxied, way: Way, source: socket.socket, target: socket.socket) -> None:
        self._owner = owner
        self._way = way
        self._source = source
        self._target = target
        self._queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(QUEUE)
        self.mute = False
        self.ended = False

    async def read(self) -> None:
        """Take what comes, each piece with the time at which it is due."""
        loop = asyncio.get_running_loop()
        latest = 0.0
        data = b"?"
        while data:
            try:
                data = await loop.sock_recv(self._source, CHUNK)
            except OSError:
                data = b""
            toxic = self._owner.toxic
            latest = max(latest, loop.time() + toxic.latency_s + toxic.jitter_s * self._owner.chance.random())
            await self._queue.put((latest, data))

    async def deliver(self) -> None:
        """Hand on what is due, until the source hung up."""
        loop = asyncio.get_running_loop()
        while True:
            due, data = await self._queue.get()
            await asyncio.sleep(due - loop.time())
            await self._owner.passing(self._way)
            self.ended = not data
            if self._way in self._owner.toxic.swallow:
                self.mute = True
            if not self.mute:
                await self._hand_on(data)
            elif self.ended and not self._owner.toxic.swallow:
                self._owner.reset()
            if self.ended:
                return await self._stay_while_mute()

    async def _stay_while_mute(self) -> None:
        # The other end has not heard of the end: its connection lives on until the link heals.
        if self.mute:
            await asyncio.Event().wait()

    async def _hand_on(self, data: bytes) -> None:
        loop = asyncio.get_running_loop()
        try:
            if not data:
                self._target.shutdown(socket.SHUT_WR)
            while data:
                size, pause_s = self._portion(len(data))
                if pause_s:
                    await asyncio.sleep(pause_s)
                await loop.sock_sendall(self._target, data[:size])
                self._owner.count(size)
                data = data[size:]
        except OSError:
            self._owner.reset()

    def _portion(self, size: int) -> tuple[int, float]:
        """Return how many bytes go at once, and the pause before them."""
        toxic, chance = self._owner.toxic, self._owner.chance
        if toxic.bytes_per_s:
            step = min(size, max(1, int(toxic.bytes_per_s * BANDWIDTH_STEP_S)))
            return step, step / toxic.bytes_per_s
        if toxic.slice_bytes:
            return min(size, chance.randint(1, toxic.slice_bytes)), toxic.slice_pause_s * chance.random()
        return size, 0.0


def _prepare(end: socket.socket) -> None:
    end.setblocking(False)
    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _close(end: socket.socket, *, abort: bool) -> None:
    if abort:
        with contextlib.suppress(OSError):  # the other side was faster
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    end.close()
