"""uvicorn inside a service that handles its own signals."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn

from swaprail.runtime.listen import listen

GRACE_SHARE = 0.7  # of the drain; the rest is for the application's own end, which writes what was accepted


def grace_s(drain_timeout_s: float) -> int:
    """Return how long requests may finish in a drain of so many seconds."""
    return max(1, int(GRACE_SHARE * drain_timeout_s))


class HttpServer(uvicorn.Server):
    """A uvicorn server that a service starts, drains and stops."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.servers = []  # uvicorn has none before it listens, and what ends earlier is drained as well
        self._task: asyncio.Task[None] | None = None
        self.port = 0

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the service."""
        yield

    async def open(self, host: str, port: int) -> None:
        """Listen and return when requests are served; a port of 0 picks a free one."""
        listener = listen(host, port)
        # Inherited by connections; asyncio itself sets it only on sockets that name their protocol.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port = listener.getsockname()[1]
        self._task = asyncio.create_task(self.serve([listener]), name="http server")
        while not self.started:
            if self._task.done():
                self._task.result()
                message = f"the HTTP server did not start on port {port}"
                raise RuntimeError(message)
            await asyncio.sleep(0.005)

    async def close(self) -> None:
        """Stop accepting, let requests finish (timeout_graceful_shutdown) and return."""
        self.should_exit = True
        if self._task is not None:
            await self._task
