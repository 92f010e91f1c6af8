"""What is refused, and how it is told."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

ORDER = {"userWallet": "alice", "inputToken": "SOL", "outputToken": "USDC", "inputAmount": "1.5"}


def check(answer: httpx.Response, status: int, code: str, field: str | None = None) -> None:
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert {"type", "title", "detail", "hint", "retryable"} <= set(problem)
    assert (problem["errors"][0]["field"] if "errors" in problem else None) == field


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"userWallet": ""}, "validation_failed", "userWallet"),
        ({"userWallet": "x" * 65}, "validation_failed", "userWallet"),
        ({"userWallet": "a\u0000b"}, "validation_failed", "userWallet"),
        ({"userWallet": " a"}, "validation_failed", "userWallet"),
        ({"userWallet": 7}, "validation_failed", "userWallet"),
        ({"inputAmount": 0}, "amount_invalid", "inputAmount"),
        ({"inputAmount": "NaN"}, "amount_invalid", "inputAmount"),
        ({"inputAmount": "1e30"}, "amount_invalid", "inputAmount"),
        ({"inputAmount": "18446744073.709551616"}, "amount_invalid", "inputAmount"),
        ({"inputAmount": "0.1234567891"}, "amount_too_precise", "inputAmount"),
        ({"inputAmount": "1e-999999999"}, "amount_too_precise", "inputAmount"),
        ({"inputAmount": "one"}, "amount_invalid", "inputAmount"),
        ({"inputAmount": True}, "validation_failed", "inputAmount"),
        ({"inputToken": "DOGE"}, "token_unknown", "inputToken"),
        ({"outputToken": "sol"}, "tokens_equal", "outputToken"),
        ({"slippageBps": -1}, "validation_failed", "slippageBps"),
        ({"slippageBps": 10001}, "validation_failed", "slippageBps"),
        ({"slippageBps": 1.5}, "validation_failed", "slippageBps"),
        ({"minOutputAmount": "0.0000001"}, "amount_too_precise", "minOutputAmount"),
        ({"expiresAt": "2020-01-01T00:00:00Z"}, "expiry_in_past", "expiresAt"),
        ({"expiresAt": "2999-01-01T00:00:00"}, "validation_failed", "expiresAt"),
        ({"unknown": 1}, "validation_failed", "unknown"),
    ],
)
async def test_field_is_named_when_it_is_wrong(api: Any, change: dict[str, Any], code: str, field: str) -> None:
    for path in ("/api/orders", "/api/orders/execute"):
        check(await api.post(path, ORDER | change), 400, code, field)


async def test_field_is_named_when_it_is_missing(api: Any) -> None:
    check(await api.post("/api/orders", {"userWallet": "a"}), 400, "validation_failed", "inputToken")


@pytest.mark.parametrize(
    ("amount", "shown", "base"),
    [
        ("0.1", "0.1", "100000000"),
        ('"0.10"', "0.1", "100000000"),
        ("0.000000001", "0.000000001", "1"),
        ("1e-9", "0.000000001", "1"),
        ("18446744073.709551615", "18446744073.709551615", "18446744073709551615"),
        ("9007199254.740993", "9007199254.740993", "9007199254740993000"),
    ],
)
async def test_amount_is_exact_when_it_is_a_number_or_a_string(api: Any, amount: str, shown: str, base: str) -> None:
    body = json.dumps(ORDER).replace('"1.5"', amount)
    answer = await api.http.post("/api/orders", content=body, headers={"Content-Type": "application/json"})
    assert (answer.json()["inputAmount"], answer.json()["inputAmountBase"]) == (shown, base)
    read = (await api.get(answer.headers["location"])).json()
    assert (read["inputAmount"], read["inputAmountBase"]) == (shown, base)


@pytest.mark.parametrize("body", [b"{", b"", b"nonsense", b'{"userWallet": "\xff"}', b"[" * 10_000])
async def test_400_when_the_body_is_not_json(api: Any, body: bytes) -> None:
    answer = await api.http.post("/api/orders", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["code"] in ("body_invalid", "validation_failed")
    batch = b'{"orders": [' + body
    answer = await api.http.post("/api/orders/batch", content=batch, headers={"Content-Type": "application/json"})
    check(answer, 400, "body_invalid")


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_415_when_the_body_is_not_said_to_be_json(api: Any, media_type: str) -> None:
    answer = await api.http.post("/api/orders", content=b"{}", headers={"Content-Type": media_type})
    check(answer, 415, "unsupported_media_type")


async def test_413_when_the_body_is_too_large_however_it_is_framed(api: Any) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 1024

    headers = {"Content-Type": "application/json"}
    check(await api.http.post("/api/orders", content=b" " * 16_385, headers=headers), 413, "body_too_large")
    check(await api.http.post("/api/orders", content=chunks(), headers=headers), 413, "body_too_large")
    large = json.dumps({"orders": [ORDER] * 100}) + " " * 20_000
    assert (await api.http.post("/api/orders/batch", content=large, headers=headers)).status_code == 207
    large += " " * 128 * 1024
    check(await api.http.post("/api/orders/batch", content=large, headers=headers), 413, "body_too_large")


async def test_problem_is_answered_when_nothing_is_routed(api: Any) -> None:
    check(await api.get("/nope"), 404, "not_found")
    check(await api.get("/api/orders/a/b/c"), 404, "not_found")
    for method, path, allowed in (
        ("PUT", "/api/orders", {"POST", "OPTIONS"}),
        ("DELETE", "/health", {"GET", "OPTIONS"}),
    ):
        answer = await api.http.request(method, path)
        check(answer, 405, "method_not_allowed")
        assert set(answer.headers["allow"].split(", ")) == allowed
    check(await api.http.request("PATCH", "/api/orders"), 405, "method_not_allowed")


async def test_head_is_get_without_a_body_and_options_tells_methods(api: Any) -> None:
    order_id = await api.place()
    got = await api.get(f"/api/orders/{order_id}")
    head = await api.http.head(f"/api/orders/{order_id}")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == got.headers["content-length"]
    options = await api.http.options("/api/orders")
    assert (options.status_code, options.headers["allow"]) == (204, "OPTIONS, POST")


async def test_400_when_an_action_has_a_body_of_unknown_fields(api: Any) -> None:
    order_id = await api.place()
    answer = await api.post(f"/api/orders/{order_id}/execute", {"force": True})
    check(answer, 400, "validation_failed", "force")


async def test_500_names_the_trace_but_no_cause_when_the_engine_fails(api: Any, db: Any) -> None:
    await db.execute("alter table orders add constraint none check (wallet <> 'alice')")
    answer = await api.post("/api/orders", ORDER)
    check(answer, 500, "internal_error")
    assert "none" not in answer.text


async def test_400_when_the_body_does_not_arrive(serve: Any) -> None:
    api = await serve(body_timeout_s=0.1)
    reader, writer = await asyncio.open_connection("127.0.0.1", api.server.port)
    writer.write(
        b"POST /api/orders HTTP/1.1\r\nhost: t\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{"
    )
    assert b" 400 " in await asyncio.wait_for(reader.readline(), 5)
    writer.close()
