"""Cursors, tickets and API keys that are forged, changed, old, another's or malformed let nobody in."""

import asyncio
import base64
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from swaprail.auth import Principal, issue_ticket
from swaprail.testing.conditions import until
from tests.security.accounts import ORDER, TICKET_SECRET, Two
from tests.security.raw import Raw

pytestmark = [pytest.mark.system]
READS = frozenset({"orders:read"})
REVOKED_WITHIN_S = 12
UPGRADE = (
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)


def flipped(text: str) -> list[str]:
    """Return the text with each bit of its bytes changed once; of the same alphabet."""
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    changed = [raw[:at] + bytes([raw[at] ^ 1 << bit]) + raw[at + 1 :] for at in range(len(raw)) for bit in range(8)]
    return [base64.urlsafe_b64encode(bad).rstrip(b"=").decode() for bad in changed]


def cut_and_extended(text: str) -> list[str]:
    return [text[:size] for size in range(len(text))] + [
        text + more for more in ("A", "AA", "AAAA", "=", "==", ".", " ")
    ]


async def cursor_of(two: Two, headers: dict[str, str], wallet: str, **query: Any) -> str:
    answer = await two.call("GET", f"/api/orders/user/{wallet}", headers, params={"limit": 1, **query})
    return str(answer.json()["nextCursor"])


async def test_a_cursor_is_refused_when_a_single_bit_or_its_length_is_changed(two: Two) -> None:
    for _ in range(2):
        await two.place(two.one, userWallet="listed")
    good = await cursor_of(two, two.one, "listed")
    assert (await two.call("GET", f"/api/orders/user/listed?cursor={good}", two.one)).status_code == 200
    bad = flipped(good) + cut_and_extended(good)
    answers = await many(two, [f"/api/orders/user/listed?cursor={text}" for text in bad], two.one)
    told = dict(zip(bad, answers, strict=True))
    # Padding is no other cursor: it is the same bytes in another spelling.
    assert {text for text, (status, _) in told.items() if status != 400} <= {good + "=" * n for n in (1, 2)}
    assert all(code in ("cursor_invalid", None) for _, code in told.values())


async def many(two: Two, paths: list[str], headers: dict[str, str]) -> list[tuple[int, str | None]]:
    slots = asyncio.Semaphore(8)

    async def ask(path: str) -> tuple[int, str | None]:
        async with slots:
            answer = await two.call("GET", path, headers)
            return answer.status_code, answer.json().get("code")

    return await asyncio.gather(*map(ask, paths))


async def test_a_cursor_is_refused_when_it_is_of_another_list_or_account(two: Two) -> None:
    for wallet in ("mine", "mine", "other", "other"):
        for headers in (two.one, two.two):
            await two.place(headers, userWallet=wallet)
    foreign = [
        await cursor_of(two, two.two, "mine"),
        await cursor_of(two, two.one, "other"),
        await cursor_of(two, two.one, "mine", status="PENDING"),
    ]
    for text in foreign:
        answer = await two.call("GET", f"/api/orders/user/mine?cursor={text}", two.one)
        assert (answer.status_code, answer.json()["code"]) == (400, "cursor_invalid")


async def admits(two: Two, ticket: str, wallet: str = "w", **headers: str) -> int:
    """Return the status of a handshake with the ticket."""
    try:
        async with connect(
            f"{two.engine.ws_url}/ws/wallets/{wallet}?ticket={ticket}", additional_headers=headers, proxy=None
        ):
            return 101
    except InvalidStatus as error:
        return error.response.status_code


async def made(two: Two) -> str:
    return str((await two.call("POST", "/api/ws-tickets", two.one)).json()["ticket"])


async def test_a_ticket_is_refused_when_it_is_changed_cut_or_extended(two: Two) -> None:
    good = await made(two)
    sample = flipped(good)[::7] + cut_and_extended(good)[::3] + ["", "A" * 5000, "%00", "é", good[::-1]]
    for text in sample:
        if text.rstrip("=") != good:
            assert await admits(two, text) in (400, 401), text
    # None of the wrong ones has burnt it.
    assert await admits(two, good) == 101


async def test_a_ticket_opens_one_connection_when_many_race_for_it(two: Two) -> None:
    good = await made(two)
    spelled = [good, good + "=" * (-len(good) % 4), good[:-1] + chr(ord(good[-1]) ^ 1)]
    statuses = await asyncio.gather(*(admits(two, spelled[number % 3]) for number in range(24)))
    assert statuses.count(101) == 1


async def test_a_ticket_is_refused_when_it_is_old_or_of_another_secret(two: Two) -> None:
    principal = Principal("one", "", READS)
    old = issue_ticket(principal, TICKET_SECRET.encode(), now=time.time() - 31)
    foreign = issue_ticket(principal, b"f" * 40)
    writes = issue_ticket(Principal("one", "", frozenset({"orders:write"})), TICKET_SECRET.encode())
    assert [await admits(two, text) for text in (old, foreign, writes)] == [401, 401, 403]


async def test_a_ticket_is_its_makers_when_another_key_is_sent_beside_it(two: Two) -> None:
    order_id = await two.place(two.two)
    ticket = await made(two)
    with pytest.raises(InvalidStatus) as caught:
        async with connect(
            f"{two.engine.ws_url}/ws/orders/{order_id}?ticket={ticket}", additional_headers=two.two, proxy=None
        ):
            pass
    assert caught.value.response.status_code == 404


@pytest.mark.parametrize("service", ["api", "notifier"])
async def test_401_when_a_key_is_wrong(two: Two, service: str) -> None:
    good = two.key("one")["authorization"]
    kind, _, text = good.partition(" ")
    prefix, key_id, secret = text[:3], text[4:20], text[21:]
    wrong = [text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :] for at in range(len(text))]
    wrong += [
        text[:-1],
        text + "A",
        f"{prefix}_{key_id}_",
        f"{prefix}__{secret}",
        text.upper(),
        text * 100,
        "é" * 10,
        "\x7f",
    ]
    wrong += [f"{text} {text}", f"{text},{text}", "' or 1=1 --", f"{key_id}:{secret}", "null", "0" * 8000]
    sent = [f"{kind} {bad}" for bad in wrong] + [text, "", "Bearer", "Bearer  ", f"Basic {text}", f"{kind}{text}"]
    for value in sent:
        assert await status_with(two, service, value) in (400, 401), value[:80]
    assert await status_with(two, service, good) in (200, 101)


async def status_with(two: Two, service: str, authorization: str) -> int:
    """Return the answer to a header of any bytes: well-behaved clients refuse to send some of them."""
    lines = ["GET /api/orders/user/w HTTP/1.1"] if service == "api" else ["GET /ws/wallets/w HTTP/1.1", *UPGRADE]
    head = "\r\n".join([*lines, "Host: test", f"Authorization: {authorization}", "", ""]).encode("latin-1")
    async with Raw(two.engine.ports[service]) as raw:
        await raw.send(head)
        return await raw.status()


@pytest.mark.parametrize("service", ["api", "notifier"])
async def test_401_when_a_key_is_expired_or_revoked(two: Two, service: str) -> None:
    past, future = (datetime.now(UTC) + timedelta(hours=hours) for hours in (-1, 1))
    for columns in ({"expires_at": past}, {"revoked_at": past}, {"revoked_at": future}):
        assert await status_with(two, service, two.key("one", **columns)["authorization"]) == 401
    assert await status_with(two, service, two.key("one", expires_at=future)["authorization"]) in (200, 101)


async def test_a_key_is_useless_within_ten_seconds_when_it_is_revoked(two: Two) -> None:
    doomed = two.key("one")
    values = doomed["authorization"]
    assert await status_with(two, "api", values) == 200
    assert await status_with(two, "notifier", values) == 101
    key_id = values.split("_")[1]
    assert (await two.call("DELETE", f"/api/keys/{key_id}", two.one)).status_code == 204

    async def useless() -> bool:
        return [await status_with(two, name, values) for name in ("api", "notifier")] == [401, 401]

    await until(useless, within_s=REVOKED_WITHIN_S, what="the revoked key is refused", every_s=0.2)


async def test_nothing_was_stored_when_keys_were_wrong(two: Two) -> None:
    connection = await asyncpg.connect(two.engine.dsn)
    before = await connection.fetchval("select count(*) from orders")
    for value in ("", "Bearer x", two.one["authorization"][:-1]):
        answer = await two.call("POST", "/api/orders/execute", {"authorization": value}, ORDER)
        assert answer.status_code == 401
    assert await connection.fetchval("select count(*) from orders") == before
    await connection.close()
