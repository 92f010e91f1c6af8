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


@pytest.mark.parametrize(
    "number",
    ["1e9999999999999999999", "0e99999999999999999999", "1e-9999999999999999999", "-1e1000000000", "1E1000000000"],
)
async def test_an_amount_is_refused_alone_when_no_decimal_has_its_exponent(api: Any, number: str) -> None:
    for name in ("inputAmount", "minOutputAmount"):
        body = json.dumps(ORDER | {name: 0}).replace(f'"{name}": 0', f'"{name}": {number}')
        for path in ("/api/orders", "/api/orders/execute"):
            answer = await api.http.post(path, content=body, headers=JSON)
            assert _told(answer) == (400, "amount_invalid", name)
        batch = f'{{"orders": [{body}, {json.dumps(ORDER)}]}}'
        answer = await api.http.post("/api/orders/batch", content=batch, headers=JSON)
        assert [result["status"] for result in answer.json()["results"]] == [400, 201]


@pytest.mark.parametrize("digits", [5_000, 15_000])
@pytest.mark.parametrize("name", ["inputAmount", "minOutputAmount", "slippageBps"])
async def test_an_integer_is_refused_when_it_has_thousands_of_digits(api: Any, name: str, digits: int) -> None:
    body = json.dumps(ORDER | {name: 0}).replace(f'"{name}": 0', f'"{name}": {"9" * digits}')
    for path, sent in (("/api/orders", body), ("/api/orders/batch", f'{{"orders": [{body}]}}')):
        answer = await api.http.post(path, content=sent, headers=JSON)
        told = answer.json()["results"][0]["problem"] if answer.status_code == 207 else answer.json()
        assert (told["status"], told["errors"][0]["field"].removeprefix("orders[0].")) == (400, name)


@pytest.mark.parametrize(
    "value",
    ['"\\ud800"', '"\xff"', "[" * 7_000, '{"a":' * 3_000, "[" * 7_000 + "]" * 7_000],
    ids=lambda value: value[:6],
)
async def test_a_body_is_refused_when_no_reader_could_decode_it(api: Any, value: str) -> None:
    body = (json.dumps(ORDER)[:-1] + f', "inputAmount": {value}}}').encode("latin-1")
    for path, sent in (
        ("/api/orders", body),
        ("/api/orders/execute", body),
        ("/api/orders/batch", b'{"orders": [%s]}' % body),
        ("/api/keys", body),
    ):
        assert (await api.http.post(path, content=sent, headers=JSON)).status_code == 400


@pytest.mark.parametrize(
    ("path", "name", "value"),
    [
        *(("/api/orders/user/alice", "limit", value) for value in ("1e1", "10.0", "-0", "+10", "1_0", "٣", " 10")),
        *(("/api/orders/user/alice", name, value) for name in ("limit", "status") for value in ("null", "", "true")),
        *(
            ("/api/orders/01920000-0000-7000-8000-000000000001/events", "after", value)
            for value in ("1e0", "0.0", "-0")
        ),
    ],
)
async def test_400_when_a_parameter_is_what_only_a_decoder_takes_for_its_type(
    api: Any, path: str, name: str, value: str
) -> None:
    assert _told(await api.get(path, **{name: value})) == (400, "validation_failed", name)


async def test_a_cursor_is_read_as_text_when_it_is_the_word_null(api: Any) -> None:
    assert _told(await api.get("/api/orders/user/alice", cursor="null")) == (400, "cursor_invalid", "cursor")


@pytest.mark.parametrize("at", ["2099-01-01T00:00:00+0100", "2099-01-01T00:00:00.5-0730"])
async def test_400_when_the_offset_of_a_time_is_not_as_rfc_3339_has_it(api: Any, at: str) -> None:
    for path, body in (("/api/orders", ORDER), ("/api/keys", {"name": "n", "scopes": ["orders:read"]})):
        assert _told(await api.post(path, body | {"expiresAt": at})) == (400, "validation_failed", "expiresAt")
    batch = {"orders": [ORDER | {"expiresAt": at}, ORDER]}
    results = (await api.post("/api/orders/batch", batch)).json()["results"]
    assert [result["status"] for result in results] == [400, 201]


@pytest.mark.parametrize("at", ["2030-01-01T00:00:00+01:00", "2030-01-01t00:00:00z", "2030-01-01T00:00:00.5-00:00"])
async def test_a_time_is_taken_when_rfc_3339_has_it(api: Any, at: str) -> None:
    assert (await api.post("/api/orders", ORDER | {"expiresAt": at})).status_code == 201
