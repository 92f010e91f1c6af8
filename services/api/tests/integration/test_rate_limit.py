"""Requests that count for more than one."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from services.api.tests.integration.callers import bearer

ORDER = {"userWallet": "alice", "inputToken": "SOL", "outputToken": "USDC", "inputAmount": "1.5"}


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_batch_counts_for_its_size_when_none_of_it_is_any_good(serve: Any, chunked: bool) -> None:
    """Else who may send 200 requests a second has a core to himself, and may store 20,000 orders in it."""
    api = await serve(api_keys_required=True, rate_limit=20, rate_limit_window_s=3600)
    noisy = await bearer(api, "noisy")
    body = json.dumps({"orders": [{"userWallet": "x" * 100}] * 100}).encode()

    async def pieces() -> AsyncIterator[bytes]:
        yield body

    statuses = []
    for _ in range(3):
        content = pieces() if chunked else body
        headers = noisy | {"Content-Type": "application/json"}
        statuses.append((await api.http.post("/api/orders/batch", content=content, headers=headers)).status_code)
    assert statuses == [207, 207, 429]
    other = await bearer(api, "other")
    assert (await api.http.post("/api/orders", json=ORDER, headers=other)).status_code == 201


async def test_a_batch_that_is_larger_than_a_window_is_let_in_when_anything_is_left(serve: Any) -> None:
    """Else whoever also asks for something small would never get it in; and what it costs is counted everywhere."""
    first, second = [await serve(api_keys_required=True, rate_limit=3, rate_limit_window_s=3600) for _ in range(2)]
    noisy = await bearer(first, "noisy")
    batch = {"orders": [ORDER | {"userWallet": "w" * 60}] * 40}
    assert (await first.http.get("/api/orders/user/w", headers=noisy)).status_code == 200
    answers = [await first.http.post("/api/orders/batch", json=batch, headers=noisy) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [207, 429]
    assert (await second.http.get("/api/orders/user/w", headers=noisy)).status_code == 429


async def test_what_a_batch_costs_is_counted_once_over_all_replicas(serve: Any) -> None:
    replicas = [await serve(api_keys_required=True, rate_limit=100, rate_limit_window_s=3600) for _ in range(2)]
    noisy = await bearer(replicas[0], "noisy")
    batch = json.dumps({"orders": [ORDER | {"userWallet": "w" * 60}] * 100}).encode()
    cost, headers = 1 + len(batch) // 1024, noisy | {"Content-Type": "application/json"}

    async def reads(times: int) -> int:
        asked = [await api.http.get("/api/orders/user/w", headers=noisy) for api in replicas * times]
        return sum(answer.status_code == 200 for answer in asked)

    served = await reads(12)
    assert (await replicas[0].http.post("/api/orders/batch", content=batch, headers=headers)).status_code == 207
    assert served + cost + await reads(50) == pytest.approx(100, abs=2)
