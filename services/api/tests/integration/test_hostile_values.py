"""Values that are no error of the engine: found by fuzzing, each of them was answered with 500 once."""

from typing import Any

import pytest

ORDER = {"userWallet": "alice", "inputToken": "SOL", "outputToken": "USDC", "inputAmount": "1.5"}
KEY = {"name": "n", "scopes": ["orders:read"]}
BEYOND = ["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59.999999Z"]


@pytest.mark.parametrize("wallet", ["a%00b", "%01", "w" * 65, "%20w"])
async def test_400_when_no_wallet_can_have_the_name(api: Any, wallet: str) -> None:
    answer = await api.get(f"/api/orders/user/{wallet}")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "wallet")


@pytest.mark.parametrize("at", BEYOND)
async def test_400_when_a_time_is_beyond_the_calendar_in_utc(api: Any, at: str) -> None:
    for path, body in (("/api/orders", ORDER), ("/api/orders/execute", ORDER), ("/api/keys", KEY)):
        answer = await api.post(path, body | {"expiresAt": at})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "expiresAt"), path


async def test_other_orders_of_a_batch_are_stored_when_one_has_a_time_beyond_the_calendar(api: Any) -> None:
    answer = await api.post("/api/orders/batch", {"orders": [ORDER | {"expiresAt": BEYOND[0]}, ORDER]})
    assert [result["status"] for result in answer.json()["results"]] == [400, 201]


async def test_404_when_no_key_can_have_the_id(api: Any) -> None:
    for key_id in ("a%00b", "%01", "x" * 1000):
        assert (await api.http.delete(f"/api/keys/{key_id}")).status_code == 404


@pytest.mark.parametrize("name", ["a\0b", "a\nb"])
async def test_400_when_a_name_cannot_be_seen(api: Any, name: str) -> None:
    answer = await api.post("/api/keys", KEY | {"name": name})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "name")


async def test_options_names_every_method_when_a_path_has_several(api: Any) -> None:
    allowed = {path: (await api.http.options(path)).headers["allow"] for path in ("/api/keys", "/api/orders")}
    assert allowed == {"/api/keys": "GET, OPTIONS, POST", "/api/orders": "OPTIONS, POST"}
