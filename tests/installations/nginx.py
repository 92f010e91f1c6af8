"""An nginx before the engine, with its defaults: HTTP/1.0 to what is behind it, answers and bodies buffered."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from swaprail.testing.conditions import until
from swaprail_local.servers.ports import free_port
from tests.installations.debian import program
from tests.system.engine import Engine

_CONFIGURATION = """
daemon off;
{run_as}
worker_processes 1;
pid {home}/nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {home}/body;
    proxy_temp_path {home}/proxy;
    fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi;
    scgi_temp_path {home}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location /swaps/ {{
            proxy_pass {url}/;
            proxy_set_header X-Forwarded-Prefix /swaps;
        }}
        location /swaps/ws/ {{
            proxy_pass {sockets}/ws/;
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection upgrade;
        }}
        location /untold/ws/ {{
            proxy_pass {sockets}/ws/;
        }}
    }}
}}
"""


@asynccontextmanager
async def nginx(engine: Engine, home: Path) -> AsyncIterator[str]:
    """Run one that has the engine under the path /swaps; yields the URL of that."""
    found, port = program("nginx", "nginx"), free_port()
    file, log = home / "nginx.conf", home / "nginx.log"
    run_as = "user root;" if os.geteuid() == 0 else ""
    sockets = engine.url_of("notifier")
    file.write_text(_CONFIGURATION.format(home=home, port=port, url=engine.url, sockets=sockets, run_as=run_as))
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            found.path,
            "-c",
            str(file),
            "-p",
            str(home),
            env=os.environ | found.environment,
            stdout=output,
            stderr=output,
        )
    own = f"http://127.0.0.1:{port}/swaps"

    async def answers() -> bool:
        assert process.returncode is None, log.read_text()
        try:
            async with httpx.AsyncClient() as client:
                return (await client.get(f"{own}/health")).status_code == 200
        except httpx.TransportError:
            return False

    try:
        await until(answers, within_s=10, what="nginx answers")
        yield own
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), 10)
