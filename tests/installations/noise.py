"""An account that has as many orders as it may, none of which can end, and asks for more of everything: a process of its own.

`python -m tests.installations.noise URL WS_URL`, the key on stdin; says `ready`, and ends when stdin does.
"""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from websockets.asyncio.client import connect

from tests.installations.orders import BODY

READERS, POSTERS, SOCKETS = 8, 2, 50
BATCHES = 25  # of 100 orders: more than may be open
READY_S = 60


@asynccontextmanager
async def noise(url: str, ws_url: str, key: str) -> AsyncIterator[None]:
    """Run it beside the body."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.installations.noise",
        url,
        ws_url,
        cwd=Path(__file__).parents[2],
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(f"{key}\n".encode())
        assert await asyncio.wait_for(process.stdout.readline(), READY_S) == b"ready\n", "the noise did not begin"
        yield
        assert process.returncode is None, "the noise has ended by itself"
    finally:
        process.stdin.close()
        await asyncio.wait_for(process.wait(), READY_S)


async def _make(url: str, ws_url: str, bearer: dict[str, str]) -> None:
    never = BODY | {"minOutputAmount": "999999", "expiresAt": (datetime.now(UTC) + timedelta(days=80)).isoformat()}
    async with httpx.AsyncClient(base_url=url, headers=bearer, timeout=30) as client, AsyncExitStack() as stack:
        for _ in range(BATCHES):
            await client.post("/api/orders/batch", json={"orders": [never] * 100, "execute": True})
        for _ in range(SOCKETS):
            await stack.enter_async_context(connect(f"{ws_url}/ws/wallets/alice", additional_headers=bearer))
        asked = [_ask(client, "GET", "/api/orders/user/alice?limit=200") for _ in range(READERS)]
        asked += [_ask(client, "POST", "/api/orders/execute", never) for _ in range(POSTERS)]
        tasks = [asyncio.create_task(ask) for ask in asked]
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _ask(client: httpx.AsyncClient, method: str, path: str, body: object = None) -> None:
    while True:
        if (await client.request(method, path, json=body)).status_code == 429:
            await asyncio.sleep(0.05)


def main() -> None:
    """Make it until stdin ends."""
    parser = argparse.ArgumentParser("python -m tests.installations.noise")
    parser.add_argument("url")
    parser.add_argument("ws_url")
    given = parser.parse_args()
    asyncio.run(_make(given.url, given.ws_url, {"Authorization": f"Bearer {sys.stdin.readline().strip()}"}))


if __name__ == "__main__":
    main()
