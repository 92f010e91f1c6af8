"""API keys, scopes, accounts, tickets and rate limits."""

import asyncio
import time
from typing import Any

import asyncpg
import pytest

from swaprail.auth import CachedKeyStore, read_ticket
from swaprail_api.keys_command import main as keys_command

ORDER = {"userWallet": "alice", "inputToken": "SOL", "outputToken": "USDC", "inputAmount": "1.5"}
SECRET = "s" * 32


async def make_key(api: Any, monkeypatch: Any, capsys: Any, account: str, *scopes: str) -> dict[str, str]:
    """Return the header of a key made by the command line."""
    monkeypatch.setenv("DATABASE_URL", api.api.settings.dsn)
    arguments = ["create", "--account", account, "--name", "test"]
    await asyncio.to_thread(keys_command, [*arguments, "--scopes", *scopes] if scopes else arguments)
    return {"Authorization": f"Bearer {capsys.readouterr().out.strip()}"}


async def test_401_when_there_is_no_good_key(serve: Any, monkeypatch: Any, capsys: Any) -> None:
    api = await serve(api_keys_required=True)
    good = await make_key(api, monkeypatch, capsys, "desk")
    changed = good["Authorization"][:-1] + ("A" if good["Authorization"][-1] != "A" else "B")
    for sent in (None, "Bearer x", "Basic abc", "Bearer swr_" + "0" * 16 + "_" + "a" * 43, changed):
        answer = await api.http.get("/api/orders/user/a", headers={"Authorization": sent} if sent else {})
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
        assert answer.headers["www-authenticate"].startswith("Bearer")
    assert (await api.http.get("/api/orders/user/a", headers=good)).status_code == 200
    for path in ("/health", "/docs", "/docs/openapi.json", "/metrics"):
        assert (await api.get(path)).status_code == 200


async def test_403_when_the_key_lacks_the_scope(serve: Any, monkeypatch: Any, capsys: Any) -> None:
    api = await serve(api_keys_required=True, ws_ticket_secret=SECRET)
    reader = await make_key(api, monkeypatch, capsys, "desk", "orders:read")
    writer = await make_key(api, monkeypatch, capsys, "desk", "orders:write")
    for method, path, headers in (
        ("POST", "/api/orders", reader),
        ("POST", "/api/orders/execute", reader),
        ("POST", "/api/orders/batch", reader),
        ("POST", "/api/orders/x/execute", reader),
        ("POST", "/api/orders/x/cancel", reader),
        ("GET", "/api/orders/x", writer),
        ("GET", "/api/orders/x/events", writer),
        ("GET", "/api/orders/user/x", writer),
        ("GET", "/api/quotes", writer),
        ("POST", "/api/ws-tickets", writer),
        ("GET", "/api/keys", reader),
        ("POST", "/api/keys", writer),
        ("DELETE", "/api/keys/x", writer),
    ):
        answer = await api.http.request(method, path, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), path


async def test_orders_do_not_exist_when_another_account_asks(serve: Any, monkeypatch: Any, capsys: Any) -> None:
    api = await serve(api_keys_required=True)
    one = await make_key(api, monkeypatch, capsys, "one")
    two = await make_key(api, monkeypatch, capsys, "two")
    order_id = (await api.http.post("/api/orders", json=ORDER, headers=one)).json()["orderId"]
    for method, path in (
        ("GET", f"/api/orders/{order_id}"),
        ("GET", f"/api/orders/{order_id}/events"),
        ("POST", f"/api/orders/{order_id}/execute"),
        ("POST", f"/api/orders/{order_id}/cancel"),
    ):
        assert (await api.http.request(method, path, headers=two)).json()["code"] == "order_not_found"
    assert (await api.http.get("/api/orders/user/alice", headers=two)).json()["orders"] == []
    assert len((await api.http.get("/api/orders/user/alice", headers=one)).json()["orders"]) == 1
    assert (await api.http.post(f"/api/orders/{order_id}/execute", headers=one)).status_code == 202


async def test_keys_are_made_listed_and_revoked(
    serve: Any, monkeypatch: Any, capsys: Any, db: asyncpg.Connection
) -> None:
    api = await serve(api_keys_required=True)
    admin = await make_key(api, monkeypatch, capsys, "desk")
    other = await make_key(api, monkeypatch, capsys, "other")
    body = {"name": "bot", "scopes": ["orders:read"]}
    made = (await api.http.post("/api/keys", json=body, headers=admin)).json()
    bot = {"Authorization": f"Bearer {made['key']}"}
    assert (await api.http.get("/api/orders/user/a", headers=bot)).status_code == 200
    listed = await api.http.get("/api/keys", headers=admin)
    assert [key["name"] for key in listed.json()["keys"]] == ["test", "bot"]
    assert made["key"] not in listed.text
    assert "secret" not in listed.text
    await api.api.usage.flush()
    assert await db.fetchval(
        "select last_used_at > now() - interval '1 minute' from api_keys where id = $1", made["id"]
    )
    assert (await api.http.delete(f"/api/keys/{made['id']}", headers=other)).status_code == 404
    assert (await api.http.delete(f"/api/keys/{made['id']}", headers=admin)).status_code == 204
    assert await db.fetchval("select revoked_at is not null from api_keys where id = $1", made["id"])


async def test_a_revoked_key_stops_within_ten_seconds_when_another_process_revoked_it(
    serve: Any, monkeypatch: Any, capsys: Any, db: asyncpg.Connection
) -> None:
    now = [0.0]
    monkeypatch.setitem(CachedKeyStore.__init__.__kwdefaults__, "clock", lambda: now[0])
    api = await serve(api_keys_required=True)
    key = await make_key(api, monkeypatch, capsys, "desk")

    async def status_at(at: float) -> int:
        now[0] = at
        answer = await api.http.get("/api/orders/user/a", headers=key)
        return int(answer.status_code)

    assert await status_at(0.0) == 200
    await db.execute("update api_keys set revoked_at = now()")
    assert [await status_at(at) for at in (9.99, 10.0)] == [200, 401]


@pytest.mark.parametrize("scopes", [["orders:write", "keys:manage"], ["nonsense"], []])
async def test_no_key_is_made_when_it_would_do_more_than_its_maker(
    serve: Any, monkeypatch: Any, capsys: Any, scopes: list[str]
) -> None:
    api = await serve(api_keys_required=True)
    maker = await make_key(api, monkeypatch, capsys, "desk", "keys:manage", "orders:read")
    answer = await api.http.post("/api/keys", json={"name": "n", "scopes": scopes}, headers=maker)
    assert answer.status_code in (400, 403)


async def test_ticket_is_of_the_caller_when_tickets_are_on(serve: Any, monkeypatch: Any, capsys: Any) -> None:
    api = await serve(api_keys_required=True, ws_ticket_secret=SECRET)
    key = await make_key(api, monkeypatch, capsys, "desk", "orders:read")
    made = (await api.http.post("/api/ws-tickets", headers=key)).json()
    assert made["expiresInS"] == 30
    assert read_ticket(made["ticket"], SECRET.encode()).account == "desk"


async def test_404_when_tickets_are_off(api: Any) -> None:
    assert (await api.post("/api/ws-tickets")).status_code == 404


async def test_429_when_the_window_is_used_up_for_all_replicas(serve: Any, monkeypatch: Any, capsys: Any) -> None:
    # Past its deadline for Redis a process counts alone: a busy machine is not what this is about.
    monkeypatch.setattr("swaprail_api.rate_limit.REDIS_DEADLINE_S", 10)
    settings = {"rate_limit": 20, "rate_limit_window_s": 3600, "api_keys_required": True}
    first, second = await serve(**settings), await serve(**settings)
    key = await make_key(first, monkeypatch, capsys, "desk")
    answers = [await api.http.get("/api/orders/user/a", headers=key) for _ in range(15) for api in (first, second)]
    assert [answer.status_code for answer in answers].count(200) == 20
    refused = answers[-1]
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert 0 < int(refused.headers["retry-after"]) <= 3600
    assert refused.headers["ratelimit-limit"] == "20"
    assert refused.headers["ratelimit-remaining"] == "0"
    assert int(answers[0].headers["ratelimit-remaining"]) == 19
    for account, status in (("desk", 429), ("another", 200)):
        other = await make_key(first, monkeypatch, capsys, account)
        assert (await first.http.get("/api/orders/user/a", headers=other)).status_code == status


async def test_few_commands_reach_redis_when_the_limit_is_high(serve: Any) -> None:
    api = await serve(rate_limit=3_600_000, rate_limit_window_s=3600)
    before = (await api.api.redis.info("commandstats")).get("cmdstat_incrby", {"calls": 0})["calls"]
    for _ in range(150):
        await api.get("/api/orders/user/a")
    after = (await api.api.redis.info("commandstats"))["cmdstat_incrby"]["calls"]
    assert after - before == 2


async def test_limit_holds_in_the_process_when_redis_is_away(serve: Any) -> None:
    api = await serve(rate_limit=10, rate_limit_window_s=3600, redis_url="redis://127.0.0.1:1/0")
    began = time.perf_counter()
    statuses = [(await api.get("/api/orders/user/a")).status_code for _ in range(12)]
    assert statuses == [200] * 10 + [429] * 2
    assert time.perf_counter() - began < 2


async def test_guessing_keys_is_limited_by_address(serve: Any) -> None:
    api = await serve(rate_limit=5, rate_limit_window_s=3600, api_keys_required=True)
    statuses = [(await api.get("/api/keys")).status_code for _ in range(7)]
    assert statuses == [401] * 5 + [429] * 2


@pytest.mark.parametrize(
    ("first", "second"), [("8.8.8.8:1000", "8.8.8.8:1001"), ("[2001:db8:1:2::3]:1000", "2001:db8:1:2::4")]
)
async def test_requests_of_an_address_are_counted_when_a_balancer_adds_its_port(
    serve: Any, first: str, second: str
) -> None:
    api = await serve(rate_limit=1, rate_limit_window_s=3600)
    statuses = [
        (await api.http.get("/api/orders/user/alice", headers={"X-Forwarded-For": hop})).status_code
        for hop in (first, second, "9.9.9.9:1000")
    ]
    assert statuses == [200, 429, 200]
