"""A database that nobody has migrated yet."""

import asyncio
from typing import Any

import pytest

from swaprail_api.keys_command import main as keys_command
from swaprail_local.servers.postgres import EmbeddedPostgres

ORDER = {"userWallet": "alice", "inputToken": "SOL", "outputToken": "USDC", "inputAmount": "1.5"}


@pytest.fixture
def unmigrated(postgres_server: EmbeddedPostgres) -> str:
    return postgres_server.dsn_of("postgres")


@pytest.mark.parametrize("keys_required", [False, True])
async def test_503_when_the_database_is_not_migrated(serve: Any, unmigrated: str, keys_required: bool) -> None:
    api = await serve(database_url=unmigrated, api_keys_required=keys_required)
    key = {"Authorization": f"Bearer swr_{'0' * 16}_{'a' * 43}"}
    for path in ("/api/orders", "/api/orders/execute", "/api/orders/x/cancel"):
        answer = await api.post(path, ORDER, **key)
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable"), answer.text
        assert "swaprail-migrate" in answer.json()["detail"]
    assert (await api.http.get("/api/orders/user/alice", headers=key)).status_code == 503


@pytest.mark.parametrize(
    "arguments", [["create", "--account", "a", "--name", "n"], ["list", "--account", "a"]], ids=["create", "list"]
)
async def test_keys_end_with_one_line_when_the_database_is_not_migrated(
    arguments: list[str], unmigrated: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", unmigrated)
    with pytest.raises(SystemExit) as ended:
        await asyncio.to_thread(keys_command, arguments)
    (line,) = str(ended.value).splitlines()
    assert "run swaprail-migrate" in line
