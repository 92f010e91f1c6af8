"""Who is let in, and what the others are told."""

from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest

from swaprail.auth import Principal, generate_key, issue_ticket
from swaprail.testing.conditions import until

SECRET = "a secret of at least thirty-two characters"


async def add_key(engine: Any, account: str, scopes: list[str] | None = None) -> tuple[str, dict[str, str]]:
    key = generate_key()
    await engine.execute(
        "insert into api_keys (id, account, name, secret_sha256, scopes) values ($1, $2, 'test', $3, $4)",
        key.id,
        account,
        key.secret_sha256,
        scopes or ["orders:read"],
    )
    return key.id, {"Authorization": f"Bearer {key.text}"}


def problem_of(response: Any) -> dict[str, Any]:
    assert response.headers["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = msgspec.json.decode(response.body)
    assert problem["status"] == response.status_code
    assert {"type", "title", "detail", "code", "hint", "retryable"} <= problem.keys()
    return problem


@pytest.mark.parametrize(
    ("path", "status", "field"),
    [
        ("/ws/orders/nonsense", 400, "orderId"),
        ("/ws/orders/{id}?after=-1", 400, "after"),
        ("/ws/orders/{id}?after=x", 400, "after"),
        ("/ws/orders/{id}?after=4294967296", 400, "after"),
        ("/ws/orders/{id}?after=1&after=2", 400, "after"),
        ("/ws/wallets/" + "w" * 65, 400, "wallet"),
        ("/ws/wallets/a%00b", 400, "wallet"),
        ("/ws/wallets/%ff", 400, "path"),
        ("/ws/wallets/w?after=yesterday", 400, "after"),
        ("/ws/wallets/w?after=2026-01-01T00:00:00", 400, "after"),
        ("/ws/orders/{id}", 404, None),
        ("/ws/", 404, None),
        ("/ws/orders", 404, None),
        ("/elsewhere", 404, None),
    ],
)
async def test_handshake_is_refused_with_a_problem_when_the_request_is_bad(
    serve: Any, path: str, status: int, field: str | None
) -> None:
    running = await serve()
    response = await running.refused(path.replace("{id}", str(uuid4())))
    assert response.status_code == status
    problem = problem_of(response)
    assert [error["field"] for error in problem.get("errors", [])] == ([field] if field else [])


@pytest.mark.parametrize("after", ["2026-11-23T10:00:00Z", "2026-11-23T10:00:00.123%2B01:00", "1763900000000"])
async def test_wallet_is_followed_when_after_is_a_time(serve: Any, after: str) -> None:
    running = await serve()
    client = await running.connect(f"/ws/wallets/w?after={after}")
    assert await client.is_quiet(0.05)


async def test_order_of_another_account_is_not_found_when_asked_for(serve: Any, engine: Any) -> None:
    running = await serve(api_keys_required=True)
    _, mine = await add_key(engine, "acme")
    _, others = await add_key(engine, "other")
    posted = await engine.post(account="acme")
    client = await running.connect(f"/ws/orders/{posted.order_id}", additional_headers=mine)
    assert await client.seqs(1) == [1]
    response = await running.refused(f"/ws/orders/{posted.order_id}", additional_headers=others)
    assert problem_of(response)["code"] == "order_not_found"


async def test_handshake_is_refused_when_the_key_is_missing_wrong_or_lacks_the_scope(serve: Any, engine: Any) -> None:
    running = await serve(api_keys_required=True)
    _, writes_only = await add_key(engine, "acme", ["orders:write"])
    unknown = {"Authorization": f"Bearer {generate_key().text}"}
    for headers, status in [({}, 401), (unknown, 401), (writes_only, 403)]:
        response = await running.refused("/ws/wallets/w", additional_headers=headers)
        assert response.status_code == status
        problem_of(response)


async def test_ticket_opens_one_connection_when_it_is_fresh(serve: Any, engine: Any) -> None:
    running = await serve(api_keys_required=True, ws_ticket_secret=SECRET)
    posted = await engine.post(account="acme")
    ticket = issue_ticket(Principal("acme", "", frozenset({"orders:read"})), SECRET.encode())
    client = await running.connect(f"/ws/orders/{posted.order_id}?ticket={ticket}")
    assert await client.seqs(1) == [1]
    for used in (ticket, ticket[:-2] + "xx", ""):
        response = await running.refused(f"/ws/orders/{posted.order_id}?ticket={used}")
        assert response.status_code == 401


async def test_ticket_is_refused_when_redis_is_absent_or_no_secret_is_set(serve: Any) -> None:
    ticket = issue_ticket(Principal("acme", "", frozenset({"orders:read"})), SECRET.encode())
    running = await serve(ws_ticket_secret=SECRET, redis_url="redis://127.0.0.1:1/0")
    response = await running.refused(f"/ws/wallets/w?ticket={ticket}")
    assert response.status_code == 503
    assert response.headers["Retry-After"]
    without = await serve()
    assert (await without.refused(f"/ws/wallets/w?ticket={ticket}")).status_code == 401


async def test_page_is_refused_when_its_origin_is_not_allowed(serve: Any) -> None:
    running = await serve(ws_allowed_origins="https://app.example.com, https://b.example.com")
    await running.connect("/ws/wallets/w", origin="https://app.example.com")
    await running.connect("/ws/wallets/w", origin=f"http://{running.address}")
    for origin in ("https://evil.example.com", "null", "https://app.example.com.evil.com", "http://[oops"):
        response = await running.refused("/ws/wallets/w", origin=origin)
        assert response.status_code == 403
        assert problem_of(response)["code"] == "forbidden"


async def test_same_origin_is_refused_when_in_production_and_not_listed(serve: Any, engine: Any) -> None:
    running = await serve(app_env="production")
    _, headers = await add_key(engine, "acme")
    assert (await running.refused("/ws/wallets/w")).status_code == 401
    response = await running.refused("/ws/wallets/w", origin=f"http://{running.address}", additional_headers=headers)
    assert response.status_code == 403


async def test_connections_are_refused_when_the_process_has_enough(serve: Any) -> None:
    running = await serve(ws_max_connections=2)
    first = await running.connect("/ws/wallets/w")
    await running.connect("/ws/wallets/w")
    response = await running.refused("/ws/wallets/w")
    assert response.status_code == 503
    assert response.headers["Retry-After"]
    problem_of(response)
    await first.socket.close()
    await running.until(lambda: running.notifier.connections == 1)
    await running.connect("/ws/wallets/w")


async def test_connections_are_refused_when_the_key_or_the_address_has_enough(serve: Any, engine: Any) -> None:
    running = await serve(ws_max_connections_per_key=1, ws_max_connections_per_ip=1, ws_trusted_proxies="127.0.0.0/8")
    _, headers = await add_key(engine, "acme")
    first = await running.connect("/ws/wallets/w", additional_headers=headers)
    assert (await running.refused("/ws/wallets/w", additional_headers=headers)).status_code == 503
    await first.socket.close()
    await running.until(lambda: running.notifier.connections == 0)
    await running.connect("/ws/wallets/w", additional_headers=headers | {"X-Forwarded-For": "6.6.6.6, 8.8.8.8"})
    response = await running.refused("/ws/wallets/w", additional_headers={"X-Forwarded-For": "7.7.7.7, 8.8.8.8"})
    assert response.status_code == 503


@pytest.mark.parametrize(
    ("hops", "again"),
    [
        ("6.6.6.6, 8.8.8.8:5678", "7.7.7.7, 8.8.8.8:5679"),
        ("8.8.8.8:1, 127.0.0.7:443", "8.8.8.8:2, 127.0.0.7"),
        ("8.8.8.8:1, ::ffff:127.0.0.7", "8.8.8.8:2"),
        ("[2001:db8:1:2::3]:1000", "[2001:db8:1:2::4]:1001"),
        ("[2001:db8:1:2::3]:1000, [fd00::7]:443", "2001:db8:1:2::5"),
    ],
)
async def test_connections_of_an_address_are_counted_when_its_hops_have_ports(
    serve: Any, hops: str, again: str
) -> None:
    running = await serve(ws_max_connections_per_ip=1, ws_trusted_proxies="127.0.0.0/8, fd00::/8")
    await running.connect("/ws/wallets/w", additional_headers={"X-Forwarded-For": hops})
    response = await running.refused("/ws/wallets/w", additional_headers={"X-Forwarded-For": again})
    assert response.status_code == 503
    await running.connect("/ws/wallets/w", additional_headers={"X-Forwarded-For": f"{again}, 9.9.9.9:1"})


async def test_connections_are_refused_when_their_account_has_enough(serve: Any, engine: Any) -> None:
    running = await serve(ws_max_connections_per_account=1)
    keys = [(await add_key(engine, account))[1] for account in ("acme", "acme", "other")]
    first = await running.connect("/ws/wallets/w", additional_headers=keys[0])
    assert (await running.refused("/ws/wallets/w", additional_headers=keys[1])).status_code == 503
    await running.connect("/ws/wallets/w", additional_headers=keys[2])
    await first.socket.close()
    await running.until(lambda: running.notifier.connections == 1)
    await running.connect("/ws/wallets/w", additional_headers=keys[1])


@pytest.mark.parametrize("by_ticket", [False, True])
async def test_an_account_has_more_connections_when_its_key_says_so(serve: Any, engine: Any, by_ticket: bool) -> None:
    running = await serve(ws_max_connections_per_account=1, ws_ticket_secret=SECRET)
    key, headers = await add_key(engine, "acme")
    await engine.execute('update api_keys set limits = \'{"sockets":2,"of a later version":1}\' where id = $1', key)
    for _ in range(2):
        if by_ticket:
            caller = Principal("acme", key, frozenset({"orders:read"}))
            await running.connect(f"/ws/wallets/w?ticket={issue_ticket(caller, SECRET.encode())}")
        else:
            await running.connect("/ws/wallets/w", additional_headers=headers)
    assert (await running.refused("/ws/wallets/w", additional_headers=headers)).status_code == 503


async def test_handshake_answers_unavailable_when_the_database_is_away(serve: Any) -> None:
    running = await serve(database_url="postgresql://127.0.0.1:1/none", db_timeout_s=0.5)
    response = await running.refused(f"/ws/orders/{uuid4()}")
    assert response.status_code == 503
    assert problem_of(response)["retryable"] is True
    report = await running.notifier.readiness()
    assert not report.ready


async def test_handshake_answers_unavailable_when_the_database_is_not_migrated(serve: Any, engine: Any) -> None:
    running = await serve()
    await engine.execute("alter table orders rename to elsewhere")
    response = await running.refused(f"/ws/orders/{uuid4()}")
    assert response.status_code == 503
    assert "swaprail-migrate" in problem_of(response)["detail"]


async def test_the_notifier_serves_but_is_not_ready_when_the_schema_is_missing(serve: Any, engine: Any) -> None:
    await engine.execute("alter table alembic_version rename to elsewhere")
    running = await serve()
    report = await running.notifier.readiness()
    assert not report.ready
    assert "run swaprail-migrate" in report.checks["database"].detail
    await engine.execute("alter table elsewhere rename to alembic_version")
    async with httpx.AsyncClient(base_url=f"http://{running.address}", trust_env=False) as http:

        async def ready() -> bool:
            return (await http.get("/health/ready")).status_code == 200

        await until(ready)


async def test_plain_requests_get_health_metrics_or_a_problem_when_no_upgrade_is_asked(serve: Any) -> None:
    running = await serve()
    async with httpx.AsyncClient(base_url=f"http://{running.address}", trust_env=False) as http:
        assert (await http.get("/health/ready")).status_code == 200
        assert (await http.get("/health/live")).status_code == 200
        assert "swaprail_websocket_connections" in (await http.get("/metrics")).text
        response = await http.get("/ws/orders/1")
        assert response.status_code == 404
        assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("left", "missing"),
    [
        ({}, "Upgrade"),
        ({"Connection": "close"}, "Upgrade"),
        ({"Connection": "upgrade"}, "Upgrade"),
        ({"Upgrade": "websocket", "Connection": "close"}, "Connection"),
    ],
)
async def test_426_names_the_header_when_a_proxy_has_left_out_the_upgrade(
    serve: Any, left: dict[str, str], missing: str
) -> None:
    running = await serve()
    asked = {"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="}
    async with httpx.AsyncClient(base_url=f"http://{running.address}", trust_env=False) as http:
        for path in ("/ws/wallets/w", f"/ws/orders/{uuid4()}"):
            response = await http.get(path, headers=asked | left)
            assert (response.status_code, response.headers["upgrade"]) == (426, "websocket")
            problem = response.json()
            assert (problem["status"], problem["code"]) == (426, "validation_failed")
            assert [error["field"] for error in problem["errors"]] == [missing]
            assert "proxy" in problem["detail"]
        assert (await http.get("/elsewhere", headers=asked)).status_code == 404
