"""Clients and proxies as they come: what they offer and leave out costs nobody an order."""

import asyncio
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.installations.conftest import FAST
from tests.installations.debian import program
from tests.installations.nginx import nginx
from tests.installations.orders import BODY, confirmed_within
from tests.invariants.writers import watch_writers
from tests.system.engine import Engine

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]
JAVA_S = 60


@pytest.fixture
async def running(database: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Engine]:
    """An engine on its own servers."""
    await watch_writers(database)
    engine = Engine(database, redis_url, tmp_path, **FAST)
    try:
        await engine.start()
        yield engine
    finally:
        await asyncio.to_thread(engine.close)


async def _run(*command: str | Path, **variables: str) -> str:
    done = await asyncio.to_thread(
        subprocess.run,
        command,
        env=variables or None,
        capture_output=True,
        text=True,
        timeout=JAVA_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return str(done.stdout)


@pytest.mark.parametrize("offer", [["--http2"], ["--http1.1"], ["--header", "Expect: 100-continue"], ["--http1.0"]])
async def test_an_order_is_stored_once_when_curl_posts_it_twice(running: Engine, offer: list[str]) -> None:
    curl = program("curl", "curl", "libcurl4")
    post = ["--silent", "--show-error", "--max-time", "10", *offer, "--json", json.dumps(BODY)]
    post += ["--header", "Idempotency-Key: curl", f"{running.url}/api/orders"]
    # Both in one go, so over one connection where the version has those that live on.
    said = await _run(curl.path, *post, "--next", *post, **curl.environment)
    first, second = said[: len(said) // 2], said[len(said) // 2 :]
    assert first == second
    assert json.loads(first)["status"] == "PENDING"


@pytest.mark.skipif(shutil.which("javac") is None, reason="there is no Java")
async def test_an_order_is_stored_once_when_java_posts_it_twice(running: Engine) -> None:
    first, second = (await _run("java", Path(__file__).parent / "Order.java", running.url)).splitlines()
    assert first == second
    assert first.startswith("201 /api/orders/")


async def test_an_order_goes_through_when_nginx_stands_before_the_engine_with_its_defaults(
    running: Engine, tmp_path: Path
) -> None:
    async with nginx(running, tmp_path) as url, httpx.AsyncClient(base_url=url, timeout=10) as client:
        answers = [
            await client.post("/api/orders/execute", json=BODY, headers={"Idempotency-Key": "nginx"}) for _ in range(2)
        ]
        assert [answer.status_code for answer in answers] == [202, 202]
        assert answers[0].content == answers[1].content
        order_id = answers[0].json()["orderId"]
        assert answers[0].headers["location"] == f"/swaps/api/orders/{order_id}"
        socket_url = f"{url.replace('http', 'ws', 1)}/ws/orders/{order_id}"
        async with connect(socket_url, open_timeout=5) as socket:
            seen = [json.loads(await asyncio.wait_for(socket.recv(), 10)) for _ in range(5)]
        assert [step["seq"] for step in seen] == [1, 2, 3, 4, 5]
        await confirmed_within(client, order_id, 10)
        assert (await client.post("/api/orders", json=BODY | {"userWallet": "a/b"})).status_code == 201
        async with connect(f"{url.replace('http', 'ws', 1)}/ws/wallets/a%2Fb", open_timeout=5) as socket:
            assert json.loads(await asyncio.wait_for(socket.recv(), 10))["seq"] == 1
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"{url.replace('http', 'ws', 1).replace('/swaps', '/untold')}/ws/orders/{order_id}")
        assert refused.value.response.status_code == 426
        too_large = await client.post("/api/orders", json=BODY | {"userWallet": "x" * 500_000})
        assert (too_large.status_code, too_large.json()["code"]) == (413, "body_too_large")
        assert (await client.get("/api/orders/user/alice")).status_code == 200
