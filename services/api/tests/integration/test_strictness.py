"""Requests that more than one reading exists of, or that only Python would read."""

import json
from typing import Any

import httpx
import pytest

ORDER = {"userWallet": "alice", "inputToken": "SOL", "outputToken": "USDC", "inputAmount": "1.5"}
JSON = {"Content-Type": "application/json"}


def _told(answer: httpx.Response) -> tuple[int, str, str | None]:
    problem = answer.json()
    return answer.status_code, problem["code"], problem["errors"][0]["field"] if "errors" in problem else None


@pytest.mark.parametrize(
    "amount", ["1_5", "1_0.5", "١٢", "１.５", " 1.5 ", "1.5\n", "1.5\u00a0", "+", ".", "", "1e", "1e1_0", "0x10", "∞"]
)
async def test_an_amount_is_refused_when_only_python_reads_it(api: Any, amount: str) -> None:
    for path in ("/api/orders", "/api/orders/execute"):
        answer = await api.post(path, ORDER | {"inputAmount": amount})
        assert _told(answer) == (400, "amount_invalid", "inputAmount")
        answer = await api.post(path, ORDER | {"minOutputAmount": amount})
        assert _told(answer) == (400, "amount_invalid", "minOutputAmount")
    (result,) = (await api.post("/api/orders/batch", {"orders": [ORDER | {"inputAmount": amount}]})).json()["results"]
    assert (result["status"], result["problem"]["code"]) == (400, "amount_invalid")
    if amount:
        answer = await api.get("/api/quotes", inputToken="SOL", outputToken="USDC", inputAmount=amount)
        assert _told(answer) == (400, "amount_invalid", "inputAmount")


@pytest.mark.parametrize(
    ("written", "base"),
    [('"+1.5"', "1500000000"), ('".5"', "500000000"), ('"2."', "2000000000"), ('"15e-1"', "1500000000")],
)
async def test_an_amount_is_taken_when_the_published_pattern_has_it(api: Any, written: str, base: str) -> None:
    body = json.dumps(ORDER).replace('"1.5"', written)
    answer = await api.http.post("/api/orders", content=body, headers=JSON)
    assert (answer.status_code, answer.json()["inputAmountBase"]) == (201, base)


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(ORDER)[:-1] + ', "inputAmount": "1000"}',
        json.dumps(ORDER)[:-1] + ', "input\\u0041mount": "1.5"}',
    ],
)
async def test_400_when_an_object_has_a_name_twice(api: Any, body: str) -> None:
    for path, sent in (("/api/orders", body), ("/api/orders/batch", f'{{"orders": [{json.dumps(ORDER)}, {body}]}}')):
        answer = await api.http.post(path, content=sent, headers=JSON)
        assert _told(answer) == (400, "body_invalid", None)
        assert "inputAmount" in answer.json()["detail"]
    assert (await api.get("/api/orders/user/alice")).json()["orders"] == []


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("Idempotency-Key", ("one", "two")),
        ("Idempotency-Key", ("one", "one")),
        ("Authorization", ("Bearer a", "Bearer b")),
        ("Content-Type", ("application/json", "text/plain")),
    ],
)
async def test_400_when_a_header_that_we_act_on_is_repeated(api: Any, name: str, values: tuple[str, str]) -> None:
    headers = [*(() if name == "Content-Type" else JSON.items()), *((name, value) for value in values)]
    answer = await api.http.post("/api/orders", content=json.dumps(ORDER), headers=headers)
    assert _told(answer) == (400, "validation_failed", name.lower())


async def test_a_header_may_be_repeated_when_nothing_depends_on_it(api: Any) -> None:
    headers = [*JSON.items(), ("Accept", "text/html"), ("Accept", "application/json"), ("Via", "a"), ("Via", "b")]
    assert (await api.http.post("/api/orders", content=json.dumps(ORDER), headers=headers)).status_code == 201


@pytest.mark.parametrize("before", [b"\xef\xbb\xbf", b"\xef\xbb\xbf  "])
async def test_a_byte_order_mark_is_taken_when_it_precedes_json(api: Any, before: bytes) -> None:
    body = before + json.dumps(ORDER).encode()
    assert (await api.http.post("/api/orders", content=body, headers=JSON)).status_code == 201


@pytest.mark.parametrize(("encoding", "status"), [("Identity", 201), ("identity", 201), ("gzip", 415)])
async def test_an_encoding_is_read_in_any_case(api: Any, encoding: str, status: int) -> None:
    headers = JSON | {"Content-Encoding": encoding}
    assert (await api.http.post("/api/orders", content=json.dumps(ORDER), headers=headers)).status_code == status


@pytest.mark.parametrize("wallet", ["/", "/a", "a/", "a//b", "a/./b", "a/..", ".", "..", "..."])
async def test_a_wallet_is_refused_when_no_path_could_name_it(api: Any, wallet: str) -> None:
    answer = await api.post("/api/orders", ORDER | {"userWallet": wallet})
    assert _told(answer) == (400, "validation_failed", "userWallet")


@pytest.mark.parametrize(
    "wallet", ["a/b", "a\\b", ".a/b..", "a.b", "100%", "a%2Fb", "a?b#c", "a b", "ä&=+;,:@", "~%25"]
)
async def test_a_wallet_is_found_again_when_its_name_must_be_escaped(api: Any, wallet: str) -> None:
    order_id = await api.place(userWallet=wallet)
    path = f"/api/orders/user/{httpx.URL('http://x', params={'w': wallet}).query.decode()[2:].replace('+', '%20')}"
    assert [order["orderId"] for order in (await api.get(path)).json()["orders"]] == [order_id]
