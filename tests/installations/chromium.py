"""A real browser on a page of another origin, spoken to by its own protocol (Chrome DevTools)."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

from swaprail.testing.conditions import until
from tests.installations.debian import program

START_S, SCRIPT_S = 30, 30
_OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-port=0")
_BLANK = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 15\r\nConnection: close\r\n\r\n<!doctype html>"


class Page:
    """A page that is open."""

    def __init__(self, origin: str, socket: ClientConnection) -> None:
        self.origin = origin
        self._socket = socket
        self._asked = 0
        self._failures: list[str] = []

    async def is_loaded(self) -> bool:
        """Tell whether scripts run as the page's own, and no longer as those of the empty one before it."""
        return bool(await self.run(f"return location.origin === '{self.origin}' && document.readyState === 'complete'"))

    async def run(self, script: str) -> Any:
        """Run the body of an async function in the page and return what it returns; AssertionError where it throws."""
        expression = f"(async () => {{ {script} }})()"
        result = await self.ask("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        thrown = result.get("exceptionDetails", {}).get("exception", {}).get("description")
        assert thrown is None, f"{thrown}; the browser says {self._failures}"
        return result["result"].get("value")

    async def ask(self, method: str, **given: object) -> Any:
        """Return what the browser answers; requests of the page that fail meanwhile are noted."""
        self._asked += 1
        await self._socket.send(json.dumps({"id": self._asked, "method": method, "params": given}))
        async with asyncio.timeout(SCRIPT_S):
            while (said := json.loads(await self._socket.recv())).get("id") != self._asked:
                if said.get("method") == "Network.loadingFailed":
                    self._failures.append(said["params"]["errorText"])
        return said["result"]


@asynccontextmanager
async def blank_page() -> AsyncIterator[str]:
    """Serve an empty page; yields its origin."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A browser opens connections ahead, and closes those that it did not need.
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(_BLANK)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://localhost:{server.sockets[0].getsockname()[1]}"


@asynccontextmanager
async def open_page(origin: str, home: Path) -> AsyncIterator[Page]:
    """Open the page of an origin in a browser of its own."""
    found = program("chromium")
    profile = home / "profile"
    command = [str(found.path), *_OPTIONS, f"--user-data-dir={profile}", origin]
    with (home / "chromium.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command, env=os.environ | found.environment, stdout=log, stderr=log
        )
    try:
        port_file = profile / "DevToolsActivePort"
        await until(lambda: port_file.exists() and port_file.read_text().count("\n") > 0, within_s=START_S)
        port = port_file.read_text().splitlines()[0]
        async with connect(await _debugger(port, origin), proxy=None, max_size=None) as socket:
            page = Page(origin, socket)
            await page.ask("Network.enable")
            await until(page.is_loaded, within_s=START_S, what="the page is loaded")
            yield page
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), 10)


async def _debugger(port: str, origin: str) -> str:
    found: list[str] = []

    async def is_open() -> bool:
        pages = (await client.get(f"http://127.0.0.1:{port}/json/list")).json()
        found.extend(page["webSocketDebuggerUrl"] for page in pages if page["url"].startswith(origin))
        return bool(found)

    async with httpx.AsyncClient() as client:
        await until(is_open, within_s=START_S, what="the page is open")
    return found[0]
