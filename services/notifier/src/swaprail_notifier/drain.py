"""Says goodbye to every connection, spread over time, so that the other replicas are not stormed."""

import asyncio
import random

from swaprail_notifier.connections import CloseCode, Shared

PER_SECOND = 500
SHARE = 0.7  # of the drain time; the rest is for closing handshakes


async def drain(shared: Shared, within_s: float) -> None:
    """Close all sockets with 1012 at random moments; return when none is left."""
    sockets = list(shared.sockets)
    window = min(SHARE * within_s, len(sockets) / PER_SECOND)
    loop = asyncio.get_running_loop()
    for socket in sockets:
        loop.call_later(random.uniform(0, window), socket.close, CloseCode.RESTART, "the service restarts")  # noqa: S311
    await shared.wait_empty()
