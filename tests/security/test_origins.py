"""Pages of foreign origins open no WebSocket, however their origin is spelled."""

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.security.accounts import Two

pytestmark = [pytest.mark.system]
# The engine allows https://app.example.com and https://b.example.com:8443, and in development its own host.
ALLOWED = ["https://app.example.com", "HTTPS://APP.example.COM", "https://b.example.com:8443", "own"]
DENIED = [
    "null",
    "",
    "https://app.example.com.evil.com",
    "https://evil-app.example.com",
    "https://evil.com/https://app.example.com",
    "https://app.example.com@evil.com",
    "https://evil.com#https://app.example.com",
    "https://sub.app.example.com",
    "http://app.example.com",
    "https://app.example.com:443",
    "https://app.example.com:8443",
    "https://b.example.com",
    "https://b.example.com:84430",
    "https://app.example.com/",
    "https://app.example.com ,https://evil.com",
    "https://app.example.com https://evil.com",
    "https://app.example.com.",
    "app.example.com",
    "//app.example.com",
    "file://",
    "http://[::1",
    "http://127.0.0.1",
    "http://localhost:{port}",
    "http://user@127.0.0.1:{port}",
    "https://app\texample.com",
    "*",
]


async def status_from(two: Two, *origins: str) -> int:
    headers = [("Authorization", two.one["authorization"]), *(("Origin", origin) for origin in origins)]
    try:
        async with connect(f"{two.engine.ws_url}/ws/wallets/w", additional_headers=headers, proxy=None):
            return 101
    except InvalidStatus as error:
        return error.response.status_code


@pytest.mark.parametrize("origin", ALLOWED)
async def test_a_page_is_admitted_when_its_origin_is_allowed(two: Two, origin: str) -> None:
    port = two.engine.ports["notifier"]
    assert await status_from(two, f"http://127.0.0.1:{port}" if origin == "own" else origin) == 101


@pytest.mark.parametrize("origin", DENIED)
async def test_a_page_is_refused_when_its_origin_is_not_allowed(two: Two, origin: str) -> None:
    assert await status_from(two, origin.replace("{port}", str(two.engine.ports["notifier"]))) in (400, 403)


async def test_a_program_is_admitted_when_it_sends_no_origin(two: Two) -> None:
    assert await status_from(two) == 101


async def test_400_when_there_are_two_origins(two: Two) -> None:
    assert await status_from(two, "https://app.example.com", "https://evil.com") == 400
