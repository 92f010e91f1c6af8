import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from swaprail_client import Backoff, NewOrder, SwaprailClient, SwaprailError
from swaprail_client.orders import AMOUNT

EXECUTE = "/api/orders/execute"
BUSY = {"title": "Busy", "code": "overloaded", "status": 503, "detail": "too many open orders", "retryable": True}


def an_order(**changes: Any) -> NewOrder:
    return NewOrder(
        **{"user_wallet": "w", "input_token": "SOL", "output_token": "USDC", "input_amount": "1.5", **changes}
    )


async def test_submit_repeats_key_and_body_when_the_engine_is_busy(
    engine: Any, client: SwaprailClient, fake: Any
) -> None:
    busy, bad_gateway = fake.answer(503, BUSY, {"Retry-After": "0"}), fake.answer(502, b"<html>")
    limited = fake.answer(429, {"code": "rate_limited", "retryable": True})
    engine.on("POST", EXECUTE, busy, bad_gateway, limited, fake.answer(202, fake.order()))
    order = await client.submit(an_order())
    assert str(order.order_id) == fake.order_id
    assert len(engine.requests) == 4
    assert len({request.headers["idempotency-key"] for request in engine.requests}) == 1
    assert len({request.body for request in engine.requests}) == 1


async def test_submit_uses_another_key_for_each_call(engine: Any, client: SwaprailClient, fake: Any) -> None:
    engine.on("POST", EXECUTE, fake.answer(202, fake.order()))
    await client.submit(an_order())
    await client.submit(an_order())
    assert len({request.headers["idempotency-key"] for request in engine.requests}) == 2


async def test_submit_repeats_under_its_key_when_the_answer_is_lost(
    engine: Any, relay: Any, client: SwaprailClient, fake: Any
) -> None:
    engine.on("POST", EXECUTE, fake.answer(202, fake.order()))
    relay.lose_answers = 2
    await client.submit(an_order(), idempotency_key="mine")
    assert [request.headers["idempotency-key"] for request in engine.requests] == ["mine"] * 3


async def test_cancel_succeeds_when_only_the_first_answer_was_lost(
    engine: Any, relay: Any, client: SwaprailClient, fake: Any
) -> None:
    path = f"/api/orders/{fake.order_id}"
    done = {"code": "order_status_mismatch", "retryable": False, "found": "CANCELLED"}
    engine.on("POST", f"{path}/cancel", fake.answer(202, fake.order("CANCELLED", 2)), fake.answer(409, done))
    engine.on("GET", path, fake.answer(200, fake.order("CANCELLED", 2)))
    relay.lose_answers = 1
    assert (await client.cancel(fake.order_id)).status == "CANCELLED"
    with pytest.raises(SwaprailError):
        await client.cancel(fake.order_id)


async def test_a_key_is_made_once_when_the_answer_is_lost(engine: Any, relay: Any, client: SwaprailClient) -> None:
    relay.lose_answers = 1
    with pytest.raises(SwaprailError) as caught:
        await client.create_key("desk", ["orders:read"])
    assert caught.value.code == "connection_failed"
    assert caught.value.in_doubt
    assert len(engine.requests) == 1


@pytest.mark.parametrize(
    ("status", "body"),
    [(400, {"code": "amount_invalid", "retryable": False}), (503, {"code": "x", "retryable": False}), (500, b"oops")],
)
async def test_a_call_is_not_repeated_when_that_cannot_help(
    engine: Any, client: SwaprailClient, fake: Any, status: int, body: Any
) -> None:
    engine.on("POST", EXECUTE, fake.answer(status, body))
    with pytest.raises(SwaprailError) as caught:
        await client.submit(an_order())
    assert caught.value.status == status
    assert len(engine.requests) == 1


async def test_a_conflict_is_repeated_when_the_problem_says_so(engine: Any, client: SwaprailClient, fake: Any) -> None:
    in_use = fake.answer(409, {"code": "idempotency_key_in_use", "retryable": True})
    engine.on("POST", EXECUTE, in_use, fake.answer(202, fake.order()))
    assert (await client.submit(an_order())).status == "PENDING"


async def test_retry_after_is_waited_for(engine: Any, client: SwaprailClient, fake: Any) -> None:
    path = f"/api/orders/{fake.order_id}"
    engine.on("GET", path, fake.answer(503, BUSY, {"Retry-After": "1"}), fake.answer(200, fake.order()))
    started = time.monotonic()
    await client.get(fake.order_id)
    assert time.monotonic() - started >= 1


async def test_the_problem_is_raised_at_once_when_retry_after_is_past_the_deadline(
    engine: Any, client: SwaprailClient, fake: Any
) -> None:
    engine.on("GET", f"/api/orders/{fake.order_id}", fake.answer(503, BUSY, {"Retry-After": "60"}))
    started = time.monotonic()
    with pytest.raises(SwaprailError) as caught:
        await client.get(fake.order_id)
    assert time.monotonic() - started < 1
    assert (caught.value.code, caught.value.retry_after) == ("overloaded", 60)


async def test_the_deadline_bounds_all_tries_when_the_engine_hangs(engine: Any, url: str, fake: Any) -> None:
    engine.on("POST", EXECUTE, fake.answer(202, fake.order(), delay=5))
    started = time.monotonic()
    async with SwaprailClient(url, timeout=0.5, try_timeout=0.2, backoff=Backoff(0.01, 0.05, 0.01)) as client:
        with pytest.raises(SwaprailError) as caught:
            await client.submit(an_order())
    assert time.monotonic() - started < 2
    assert (caught.value.code, caught.value.status, caught.value.retryable) == ("timeout", None, True)
    assert caught.value.in_doubt
    assert {request.headers["idempotency-key"] for request in engine.requests} == {caught.value.idempotency_key}
    assert len(engine.requests) > 1


async def test_nothing_is_in_doubt_when_nobody_listens(relay: Any, url: str) -> None:
    relay.stop()
    # So long a wait that the time ends in it, and never in a try.
    async with SwaprailClient(url, timeout=0.3, backoff=Backoff(30, 30, 0)) as client:
        with pytest.raises(SwaprailError) as caught:
            await client.submit(an_order())
    assert caught.value.code == "connection_failed"
    assert not caught.value.in_doubt


async def test_a_problem_is_told_in_full(engine: Any, client: SwaprailClient, fake: Any) -> None:
    problem = {
        "type": "x", "title": "The request is not valid", "status": 400, "code": "validation_failed", "detail": "2 fields",
        "hint": "Correct them.", "retryable": False, "traceId": "abc", "found": "ROUTING",
        "errors": [{"field": "inputAmount", "message": "too small"}],
    }  # fmt: skip
    engine.on("POST", "/api/orders", fake.answer(400, problem))
    with pytest.raises(SwaprailError) as caught:
        await client.submit(an_order(), execute=False)
    error = caught.value
    assert (error.code, error.status, error.trace_id, error.extra["found"]) == (
        "validation_failed",
        400,
        "abc",
        "ROUTING",
    )
    assert str(error) == (
        "The request is not valid: 2 fields. inputAmount: too small. Correct them. Retrying will not help. Trace abc."
    )


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"title": 3}', b"\xff"])
async def test_an_answer_that_is_no_problem_document_is_an_error_too(
    engine: Any, client: SwaprailClient, fake: Any, body: bytes
) -> None:
    engine.on("GET", f"/api/orders/{fake.order_id}", fake.answer(418, body))
    with pytest.raises(SwaprailError) as caught:
        await client.get(fake.order_id)
    assert caught.value.code == "http_418"


@pytest.mark.parametrize(
    "answer",
    [(404, b"404 page not found"), (503, b"no available server"), (521, b""), (404, b'{"error": "x"}')],
)
async def test_submit_goes_on_when_a_proxy_answers_for_an_engine_that_is_away(
    engine: Any, client: SwaprailClient, fake: Any, answer: tuple[int, bytes]
) -> None:
    engine.on("POST", EXECUTE, fake.answer(*answer), fake.answer(202, fake.order()))
    assert str((await client.submit(an_order())).order_id) == fake.order_id
    engine.on("DELETE", "/api/keys/k", fake.answer(*answer))
    with pytest.raises(SwaprailError) as caught:
        await client.revoke_key("k")
    assert str(caught.value).endswith("or the URL is another's. Retrying may help.")


async def test_a_call_ends_soon_when_nothing_but_404_comes(
    engine: Any, client: SwaprailClient, fake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("swaprail_client.retries.NOBODY_THERE_S", 0.2)
    engine.on("GET", f"/api/orders/{fake.order_id}", fake.answer(404, b"<html>"))
    began = time.monotonic()
    with pytest.raises(SwaprailError, match="the URL is another's"):
        await client.get(fake.order_id)
    assert 0.2 < time.monotonic() - began < 3


async def test_an_order_that_is_not_found_stays_so_when_the_engine_says_it(
    engine: Any, client: SwaprailClient, fake: Any
) -> None:
    problem = {"code": "order_not_found", "title": "There is no such order", "retryable": False}
    engine.on("GET", f"/api/orders/{fake.order_id}", fake.answer(404, problem), fake.answer(200, fake.order()))
    with pytest.raises(SwaprailError) as caught:
        await client.get(fake.order_id)
    assert (caught.value.code, caught.value.retryable, caught.value.hint) == ("order_not_found", False, "")


async def test_an_answer_that_is_no_order_is_an_error(engine: Any, client: SwaprailClient, fake: Any) -> None:
    engine.on("GET", f"/api/orders/{fake.order_id}", fake.answer(200, b"<html>welcome"))
    with pytest.raises(SwaprailError) as caught:
        await client.get(fake.order_id)
    assert caught.value.code == "invalid_answer"


async def test_the_key_is_sent_but_not_told_when_the_answer_repeats_it(
    engine: Any, client: SwaprailClient, fake: Any
) -> None:
    engine.on("GET", "/api/keys", fake.answer(401, {"code": "unauthenticated", "detail": "bad swr_key_secret"}))
    with pytest.raises(SwaprailError) as caught:
        await client.keys()
    assert engine.requests[0].headers["authorization"] == "Bearer swr_key_secret"
    assert "swr_key_secret" not in f"{caught.value!r} {caught.value} {caught.value.as_dict()} {client!r}"


async def test_fields_unknown_here_are_passed_over(engine: Any, client: SwaprailClient, fake: Any) -> None:
    quotes = [
        {"venue": "raydium", "outputAmount": "1", "novel": 1},
        {"venue": "meteora", "discarded": "late", "detail": ""},
    ]
    route = {"venue": "raydium", "leastOutput": "0.9", "novel": {}}
    body = fake.order(
        "CONFIRMED", 5, novel=[1], quotes=quotes, route=route, timestamps={"NOVEL": "2030-01-01T00:00:00Z"}
    )
    engine.on("GET", f"/api/orders/{fake.order_id}", fake.answer(200, body))
    order = await client.get(fake.order_id)
    assert [quote.usable for quote in order.quotes] == [True, False]
    assert order.ended
    assert order.route
    assert order.route.least_output == "0.9"


async def test_all_pages_are_walked(engine: Any, client: SwaprailClient, fake: Any) -> None:
    pages = [
        {"orders": [fake.order(seq=seq)], "nextCursor": cursor} for seq, cursor in [(3, "a b"), (2, "c"), (1, None)]
    ]
    engine.on("GET", "/api/orders/user/w/x", *(fake.answer(200, page) for page in pages))
    assert [order.seq async for order in client.list_all("w/x", status="PENDING", page=1)] == [3, 2, 1]
    assert [request.query.get("cursor") for request in engine.requests] == [None, "a b", "c"]
    assert {request.query["status"] for request in engine.requests} == {"PENDING"}


async def test_each_order_of_a_batch_has_its_own_result(engine: Any, client: SwaprailClient, fake: Any) -> None:
    bad = {"status": 400, "problem": {"code": "token_unknown", "detail": "no XYZ"}}
    engine.on("POST", "/api/orders/batch", fake.answer(200, {"results": [{"status": 202, "order": fake.order()}, bad]}))
    first, second = await client.batch([an_order(), an_order(input_token="XYZ")])
    assert first.order
    assert second.problem
    assert second.problem.code == "token_unknown"
    assert msgspec.json.decode(engine.requests[0].body)["orders"][1]["inputToken"] == "XYZ"


@pytest.mark.parametrize(
    ("given", "sent"),
    [("1.50", "1.50"), (Decimal("1E-7"), "0.0000001"), (3, "3"), ("0.1", "0.1"), (Decimal("1E+3"), "1000")],
)
def test_amounts_are_sent_exactly(given: Any, sent: str) -> None:
    assert msgspec.json.decode(msgspec.json.encode(an_order(input_amount=given)))["inputAmount"] == sent


@pytest.mark.parametrize("given", [0.1, True, None])
def test_an_amount_is_refused_when_it_may_be_inexact(given: Any) -> None:
    with pytest.raises(TypeError):
        an_order(input_amount=given)


@pytest.mark.parametrize(
    "given",
    [
        "",
        "x",
        "NaN",
        "Infinity",
        "1e40",
        "1_5",
        "١٢",
        "１.５",
        " 1.5 ",
        "1.5\n",
        "1e-40",
        "0e-999999999",
        Decimal("1e-40"),
    ],
)
def test_an_amount_is_refused_when_it_is_no_number(given: str) -> None:
    with pytest.raises(ValueError, match="amount"):
        an_order(input_amount=given)
    with pytest.raises(ValueError, match="amount"):
        an_order(min_output_amount=given)


def test_an_amount_is_written_as_it_is_published() -> None:
    published = msgspec.json.decode((Path(__file__).parents[3] / "schemas/openapi.json").read_bytes())
    described = published["components"]["schemas"]["PlaceOrder"]["properties"]["inputAmount"]
    assert described["pattern"] == f"^{AMOUNT}$"


@pytest.mark.parametrize("key", ["", "ä", "a b", "a\n", "x" * 256])
async def test_an_idempotency_key_is_refused_when_no_header_can_have_it(
    engine: Any, client: SwaprailClient, key: str
) -> None:
    with pytest.raises(ValueError, match="visible ASCII"):
        await client.submit(an_order(), idempotency_key=key)
    assert engine.requests == []


@pytest.mark.parametrize(
    "address", ["ftp://x", "127.0.0.1:3000", "http://", "http://x:99999", "http://x?y", "http://x#y", "http://x\ny z"]
)
def test_a_client_is_refused_when_its_url_cannot_be_right(address: str) -> None:
    with pytest.raises(ValueError, match=r"URL|[Pp]ort"):
        SwaprailClient(address)


def test_a_client_is_refused_without_telling_the_key_when_the_key_cannot_be_right() -> None:
    with pytest.raises(ValueError, match="characters") as caught:
        SwaprailClient("http://x", "swr_secret\nx")
    assert "swr_secret" not in str(caught.value)


async def test_a_key_that_is_made_is_not_in_its_repr(engine: Any, client: SwaprailClient, fake: Any) -> None:
    engine.on(
        "POST", "/api/keys", fake.answer(201, {"id": "1", "account": "a", "name": "n", "scopes": [], "key": "swr_new"})
    )
    made = await client.create_key("n", ["orders:read"])
    assert made.key == "swr_new"
    assert "swr_new" not in repr(made)
