"""Pages of other origins, and requests that offer another protocol."""

import asyncio
import json
from typing import Any

import pytest

from swaprail_api.settings import ApiSettings

ORDER = {"userWallet": "alice", "inputToken": "SOL", "outputToken": "USDC", "inputAmount": "1.5"}
PAGE = "https://app.example"
ASKED = {
    "Origin": PAGE,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type,idempotency-key",
}


async def test_a_page_may_post_and_read_what_it_needs_when_its_origin_is_allowed(serve: Any) -> None:
    api = await serve(api_allowed_origins=f"http://localhost:5173, {PAGE}", rate_limit=2, rate_limit_window_s=3600)
    asked = await api.http.options("/api/orders", headers=ASKED)
    assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (204, PAGE)
    allowed = asked.headers["access-control-allow-headers"].lower()
    assert all(name in allowed for name in ("authorization", "content-type", "idempotency-key"))
    assert "POST" in asked.headers["access-control-allow-methods"]
    for status in (201, 201, 429):
        answer = await api.post("/api/orders", ORDER, Origin=PAGE)
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status, PAGE)
        assert "access-control-allow-credentials" not in answer.headers
        assert {"location", "retry-after"} <= set(answer.headers["access-control-expose-headers"].lower().split(", "))
        assert answer.headers["vary"] == "Origin"


@pytest.mark.parametrize("allowed", ["", "https://other.example", "https://app.example.evil"])
async def test_a_page_is_allowed_nothing_when_its_origin_is_not_named(serve: Any, allowed: str) -> None:
    api = await serve(api_allowed_origins=allowed)
    asked = await api.http.options("/api/orders", headers=ASKED)
    answer = await api.post("/api/orders", ORDER, Origin=PAGE)
    assert answer.status_code == 201
    assert "access-control-allow-origin" not in {*asked.headers, *answer.headers}


@pytest.mark.parametrize("origin", ["*", "app.example", "https://app.example/path", "ftp://app.example", "https://*.x"])
def test_an_origin_is_refused_when_no_browser_would_send_it(origin: str) -> None:
    with pytest.raises(ValueError, match="api_allowed_origins"):
        ApiSettings(_env_file=None, api_allowed_origins=origin)


@pytest.mark.parametrize("offer", ["h2c", "foo", "TLS/1.0", "websocket"])
async def test_an_order_is_taken_when_its_request_offers_another_protocol(api: Any, offer: str) -> None:
    body = json.dumps(ORDER).encode()
    head = f"POST /api/orders HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: {offer}\r\n"
    head += f"HTTP2-Settings: AAMAAABk\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", api.server.port)
    for sent in ((head.encode() + body,), (head.encode(), body), (b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n",)):
        for part in sent:
            writer.write(part)
            await writer.drain()
        answered = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        assert answered.startswith((b"HTTP/1.1 201", b"HTTP/1.1 200")), answered
        length = int(answered.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        await asyncio.wait_for(reader.readexactly(length), 5)
    writer.close()


async def test_the_api_goes_on_when_somebody_asks_to_connect(api: Any) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", api.server.port)
    writer.write(b"CONNECT a.example:443 HTTP/1.1\r\nHost: a.example\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n")
    assert (await asyncio.wait_for(reader.readline(), 5)).startswith(b"HTTP/1.1 40")
    writer.close()
    assert (await asyncio.wait_for(api.get("/health/live"), 5)).status_code == 200
