"""Quotes, asked of a router over its topic."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from faststream.redis import RedisBroker, StreamSub

from swaprail.messages.topics import QuotesAsked, Topic

ANSWER = {
    "quotes": [
        {
            "venue": "raydium",
            "quote": {
                "venue": "raydium",
                "inputAmount": 1500000000,
                "outputAmount": 149500000,
                "feeBps": 25,
                "priceImpactBps": 3,
                "slot": 1,
                "quotedAt": 1.0,
                "durationMs": 200.0,
            },
        },
        {"venue": "meteora", "discarded": "late", "detail": "no answer"},
    ],
    "version": 1,
}


@pytest.fixture
async def router(redis_url: str) -> AsyncIterator[list[QuotesAsked]]:
    """Answers every question, and keeps it."""
    asked: list[QuotesAsked] = []
    broker = RedisBroker(redis_url, apply_types=False)

    async def answer(message: Any) -> bytes:
        asked.append(msgspec.convert(message, QuotesAsked))
        return msgspec.json.encode(ANSWER)

    broker.subscriber(stream=StreamSub(str(Topic.QUOTES), polling_interval=10, last_id="0"))(answer)
    await broker.start()
    yield asked
    await broker.stop()


async def test_quotes_of_all_venues_are_told(router: list[QuotesAsked], api: Any) -> None:
    answer = await api.get("/api/quotes", inputToken="SOL", outputToken="USDC", inputAmount="1.5")
    assert answer.status_code == 200, answer.text
    assert [quote["venue"] for quote in answer.json()["quotes"]] == ["raydium", "meteora"]
    assert answer.json()["quotes"][0]["outputAmount"] == "149.5"
    assert answer.json()["quotes"][1]["discarded"] == "late"
    assert (router[0].input_amount, router[0].deadline_ms > 0) == (1500000000, True)


async def test_503_when_no_router_answers(serve: Any) -> None:
    api = await serve(quotes_timeout_s=0.2)
    answer = await api.get("/api/quotes", inputToken="SOL", outputToken="USDC", inputAmount="1.5")
    assert (answer.status_code, answer.json()["code"]) == (503, "quotes_unavailable")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"inputAmount": "x"}, "amount_invalid"),
        ({"inputAmount": "0"}, "amount_invalid"),
        ({"inputToken": "DOGE"}, "token_unknown"),
        ({"outputToken": "SOL"}, "tokens_equal"),
        ({"more": "1"}, "validation_failed"),
    ],
)
async def test_400_when_the_question_is_wrong(api: Any, change: dict[str, str], code: str) -> None:
    answer = await api.get("/api/quotes", **({"inputToken": "SOL", "outputToken": "USDC", "inputAmount": "1"} | change))
    assert (answer.status_code, answer.json()["code"]) == (400, code)
