"""The clock of the API's host is minutes off."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from swaprail.testing.clocks import WrongClock

ORDER = {"userWallet": "alice", "inputToken": "SOL", "outputToken": "USDC", "inputAmount": "1.5"}


@pytest.fixture(params=[-300, 300])
def wrong(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> WrongClock:
    clock = WrongClock(request.param)
    monkeypatch.setattr("swaprail.clock.time", clock)
    return clock


def _in(**time: float) -> str:
    return (datetime.now(UTC) + timedelta(**time)).isoformat()


async def test_an_orders_id_has_the_databases_time_when_the_hosts_clock_is_off(wrong: WrongClock, api: Any) -> None:
    order_id = UUID(await api.place())
    assert abs((order_id.int >> 80) / 1000 - datetime.now(UTC).timestamp()) < 10


async def test_an_expiry_is_judged_by_the_databases_clock_when_the_hosts_is_off(wrong: WrongClock, api: Any) -> None:
    assert (await api.post("/api/orders", ORDER | {"expiresAt": _in(seconds=60)})).status_code == 201
    late = await api.post("/api/orders", ORDER | {"expiresAt": _in(seconds=-60)})
    assert (late.status_code, late.json()["code"]) == (400, "expiry_in_past")


async def test_a_keys_end_is_judged_by_the_databases_clock_when_the_hosts_is_off(wrong: WrongClock, api: Any) -> None:
    body = {"name": "desk", "scopes": ["orders:read"]}
    made = await api.post("/api/keys", body | {"expiresAt": _in(seconds=60)})
    assert made.status_code == 201
    assert (await api.post("/api/keys", body | {"expiresAt": _in(seconds=-60)})).status_code == 400
    key = {"Authorization": f"Bearer {made.json()['key']}"}
    assert (await api.http.get("/api/orders/user/alice", headers=key)).status_code == 200


@pytest.mark.parametrize("ahead_s", [-300, 300])
async def test_windows_of_the_rate_limit_are_the_databases_when_the_hosts_clock_is_off(
    monkeypatch: pytest.MonkeyPatch, serve: Any, ahead_s: int
) -> None:
    right = time.time
    monkeypatch.setattr(time, "time", lambda: right() + ahead_s)
    api = await serve(rate_limit=600, rate_limit_window_s=60)
    before = int(datetime.now(UTC).timestamp() // 60)
    await api.get("/api/orders/user/alice")
    (name,) = await api.api.redis.keys("rate:ip:127.0.0.1:*")
    assert before <= int(bytes(name).rpartition(b":")[2]) <= before + 1
