"""The page of the docs as its reader has it: its script is run, by node, and the requests that it makes are answered."""

import asyncio
import shutil
from typing import Any

import pytest
import uvicorn

from swaprail.runtime.http_server import HttpServer

# As much of a browser as the page needs. It prints what the page says of itself, and what a try of /health is answered.
_BROWSER = """
const url = new URL(process.argv[1]), byId = new Map(), made = [];
class Element {
  constructor(name) { Object.assign(this, { name, parts: [], attributes: {}, listeners: {}, value: "" }); made.push(this); }
  append(...parts) { this.parts.push(...parts); }
  setAttribute(name, value) { this.attributes[name] = value; }
  addEventListener(name, act) { this.listeners[name] = act; }
}
const real = fetch, asked = [];
globalThis.document = {
  createElement: (name) => new Element(name),
  getElementById: (id) => { if (!byId.has(id)) byId.set(id, new Element(id)); return byId.get(id); },
};
globalThis.location = url;
globalThis.addEventListener = () => {};
globalThis.fetch = (target, options) => { asked.push(real(new URL(target, url), options)); return asked.at(-1); };
const page = await (await real(url)).text();
(0, eval)(page.match(/<script>([^]*)<\\/script>/)[1]);
const told = document.getElementById("about");
while (!told.textContent) await new Promise((done) => setTimeout(done, 10));
const form = made.find((one) => one.attributes["aria-label"] === "Try The process answers");
if (form) await form.listeners.submit({ preventDefault() {} });
const output = form && form.parts.find((one) => one.name === "pre");
console.log(told.textContent + "\\n" + (output && output.textContent));
"""


def _below(prefix: str, app: Any) -> Any:
    """Return the application as a proxy shows it that takes a prefix from the path."""

    async def proxied(scope: Any, receive: Any, send: Any) -> None:
        if not scope["path"].startswith(f"{prefix}/"):
            await send({"type": "http.response.start", "status": 421, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        path = scope["path"].removeprefix(prefix)
        await app({**scope, "path": path, "raw_path": path.encode()}, receive, send)

    return proxied


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node")
@pytest.mark.parametrize("path", ["/docs", "/swaps/docs", "/swaps/v1.2/docs", "/swaps/docs/"])
async def test_the_page_reads_and_tries_the_api_when_a_proxy_has_it_below_a_path(api: Any, path: str) -> None:
    prefix = path.rstrip("/").removesuffix("/docs")
    server = HttpServer(uvicorn.Config(_below(prefix, api.api.asgi), log_config=None, lifespan="off"))
    await server.open("127.0.0.1", 0)
    try:
        node = await asyncio.create_subprocess_exec(
            "node",
            "--input-type=module",
            "--eval",
            _BROWSER,
            f"http://127.0.0.1:{server.port}{path}",
            stdout=asyncio.subprocess.PIPE,
        )
        said, _ = await asyncio.wait_for(node.communicate(), 30)
    finally:
        await server.close()
    about, tried, *_ = said.decode().splitlines()
    assert about.startswith("Executes token swap orders")
    assert tried.startswith("200 in ")
