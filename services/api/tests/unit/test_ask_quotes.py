"""Asking for quotes ends in time, whatever the broker does."""

import asyncio
import time
from typing import Any

import pytest

from swaprail.domain.errors import EngineError, ErrorCode
from swaprail.domain.tokens import load_tokens
from swaprail_api.schemas.requests import QuotesQuery
from swaprail_api.usecases import ask_quotes
from swaprail_api.usecases.ask_quotes import AskQuotes


class Beyond:
    """A broker that answers nobody, and takes long to tidy up when it is cancelled."""

    def __init__(self) -> None:
        self.asked = 0
        self.tidied = asyncio.Event()

    async def request(self, message: bytes, *, stream: str, timeout: float, maxlen: int) -> Any:  # noqa: ASYNC109
        self.asked += 1
        try:
            await asyncio.sleep(60)
        finally:
            await self.tidied.wait()


def _asking(broker: Beyond, timeout_s: float = 0.05) -> AskQuotes:
    return AskQuotes(broker, load_tokens(None), timeout_s=timeout_s, max_entries=100)


QUERY = QuotesQuery(input_token="SOL", output_token="USDC", input_amount="1")


async def test_the_answer_comes_in_time_when_redis_is_beyond_reach() -> None:
    broker = Beyond()
    began = time.monotonic()
    with pytest.raises(EngineError) as raised:
        await _asking(broker).run(QUERY, time.monotonic(), None)
    assert raised.value.code is ErrorCode.QUOTES_UNAVAILABLE
    assert time.monotonic() - began < 0.5
    broker.tidied.set()


async def test_no_more_is_asked_when_too_many_requests_are_not_tidied_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ask_quotes, "_MAX_ASKING", 3)
    broker = Beyond()
    quotes = _asking(broker)
    for _ in range(5):
        with pytest.raises(EngineError):
            await quotes.run(QUERY, time.monotonic(), None)
    assert broker.asked == 3
    broker.tidied.set()


async def test_less_time_is_left_for_quotes_when_the_request_waited_before() -> None:
    broker = Beyond()
    began = time.monotonic()
    with pytest.raises(EngineError):
        await _asking(broker, timeout_s=60).run(QUERY, began - 59.9, None)
    assert time.monotonic() - began < 1
    broker.tidied.set()
