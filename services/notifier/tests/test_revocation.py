"""Sockets and tickets of an API key that is no longer good."""

import asyncio
import time
from typing import Any

import pytest

from swaprail.auth import Principal, generate_key, issue_ticket
from swaprail_notifier.app import KEYS_REMEMBERED_S
from swaprail_notifier.connections import CloseCode
from swaprail_notifier.revocation import LOOK_EVERY_S

SECRET = "s" * 32
READ = frozenset({"orders:read"})
_ADD = """
insert into api_keys (id, account, name, secret_sha256, scopes, expires_at)
values ($1, 'acme', 'test', $2, '{orders:read}', now() + make_interval(secs => $3))
"""
_REVOKE = "update api_keys set revoked_at = now() where id = $1"


async def _add(engine: Any, *, lives_s: float | None = None) -> Any:
    key = generate_key()
    await engine.execute(_ADD, key.id, key.secret_sha256, lives_s)
    return key


def _with(key: Any) -> dict[str, dict[str, str]]:
    return {"additional_headers": {"Authorization": f"Bearer {key.text}"}}


def _ticket_of(key: Any) -> str:
    return issue_ticket(Principal("acme", key.id, READ), SECRET.encode())


async def _seconds_until_cut(client: Any) -> float:
    began = time.monotonic()
    assert await asyncio.wait_for(client.close_code(), 10) == CloseCode.POLICY
    return time.monotonic() - began


@pytest.mark.parametrize("by_ticket", [False, True])
async def test_sockets_are_cut_in_every_replica_when_their_key_is_revoked(
    serve: Any, engine: Any, by_ticket: bool
) -> None:
    replicas = [await serve(api_keys_required=True, ws_ticket_secret=SECRET) for _ in range(2)]
    revoked, kept = await _add(engine), await _add(engine)
    clients, others = [], []
    for running in replicas:
        if by_ticket:
            clients.append(await running.connect(f"/ws/wallets/w?ticket={_ticket_of(revoked)}"))
        else:
            clients.append(await running.connect("/ws/wallets/w", **_with(revoked)))
        others.append(await running.connect("/ws/wallets/w", **_with(kept)))
    await engine.execute(_REVOKE, revoked.id)
    assert max(await asyncio.gather(*map(_seconds_until_cut, clients))) < 10
    await engine.post(wallet="w", account="acme")
    for other in others:
        assert await other.seqs(1) == [1]


def test_a_key_from_memory_opens_no_socket_that_outlives_its_revocation_by_ten_seconds() -> None:
    assert KEYS_REMEMBERED_S + LOOK_EVERY_S < 10


async def test_a_socket_is_cut_when_its_key_expires(serve: Any, engine: Any) -> None:
    running = await serve(api_keys_required=True)
    key = await _add(engine, lives_s=1)
    client = await running.connect("/ws/wallets/w", **_with(key))
    assert await _seconds_until_cut(client) < 10


@pytest.mark.parametrize("fate", ["revoked", "expired", "gone"])
async def test_a_ticket_is_refused_when_its_key_is_no_longer_good(serve: Any, engine: Any, fate: str) -> None:
    running = await serve(api_keys_required=True, ws_ticket_secret=SECRET)
    key = await _add(engine, lives_s=-1 if fate == "expired" else None)
    ticket = _ticket_of(key)
    if fate == "revoked":
        await engine.execute(_REVOKE, key.id)
    if fate == "gone":
        await engine.execute("delete from api_keys where id = $1", key.id)
    assert (await running.refused(f"/ws/wallets/w?ticket={ticket}")).status_code == 401


async def test_sockets_stay_when_nobody_knows_of_their_key(serve: Any, engine: Any) -> None:
    running = await serve(api_keys_required=True)
    key = await _add(engine)
    client = await running.connect("/ws/wallets/w", **_with(key))
    await engine.execute("alter table api_keys rename to api_keys_away")
    try:
        with pytest.raises(Exception, match="api_keys"):
            await running.notifier._revocation.look()
    finally:
        await engine.execute("alter table api_keys_away rename to api_keys")
    await engine.post(wallet="w", account="acme")
    assert await client.seqs(1) == [1]
