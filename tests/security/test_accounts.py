"""Nothing of an account can be read, changed, followed or even told from nothing by another account."""

import asyncio
import itertools
import re
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from swaprail.auth import ALL_SCOPES
from tests.security.accounts import ORDER, Two, unknown_id
from tests.security.operations import Operation, guarded, ws_paths

pytestmark = [pytest.mark.system]
VOLATILE = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|swr_[\w-]+|\d{4}-\d\d-\d\dT[\d:.]+Z|"
    r'"(?:id|ticket)":"[^"]+"|"(?:durationMs|outputAmount|outputAmountBase)":[^,}]+'
)
WALLET = "of-one"


def names(theirs: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return what another account has by each parameter, and the like of it that nobody has."""
    nobody = {"orderId": unknown_id("order"), "keyId": "0" * 16, "wallet": "of-nobody"}
    assert theirs.keys() == nobody.keys()
    return theirs, nobody


def fill(path: str, values: dict[str, str]) -> str:
    """Return the path with its parameters; KeyError where a new one is not covered."""
    return re.sub(r"\{(\w+)\}", lambda match: values[match[1]], path)


async def state_of(two: Two, account: str) -> list[Any]:
    connection = await asyncpg.connect(two.engine.dsn)
    try:
        orders = await connection.fetch("select id, status, seq from orders where account = $1 order by id", account)
        keys = await connection.fetch("select id, revoked_at from api_keys where account = $1 order by id", account)
        return [[tuple(row) for row in rows] for rows in (orders, keys)]
    finally:
        await connection.close()


async def their(two: Two) -> dict[str, str]:
    return {
        "orderId": await two.place(two.one, userWallet=WALLET),
        "keyId": two.key("one")["authorization"].split("_")[1],
        "wallet": WALLET,
    }


@pytest.mark.parametrize("operation", guarded(), ids=str)
async def test_another_account_is_told_the_same_as_of_nothing(two: Two, operation: Operation) -> None:
    theirs, nothing = names(await their(two))
    before = await state_of(two, "one")
    # A fresh account each: what one call leaves behind is not in the answer of the other.
    told = []
    for values in (theirs, nothing):
        asking = two.key(f"other-{uuid4()}")
        path = fill(operation.path, values)
        answer = await two.call(operation.method, path, asking, operation.body, params=operation.query)
        stripped = re.sub(r"other-[0-9a-f-]{36}", "account", answer.text)
        told.append((answer.status_code, VOLATILE.sub("-", stripped), sorted(answer.headers.keys())))
    assert told[0] == told[1]
    if "Id}" in operation.path:
        assert told[0][0] == 404
    assert await state_of(two, "one") == before


@pytest.mark.parametrize("operation", guarded(), ids=str)
async def test_nothing_of_another_account_is_in_any_answer(two: Two, operation: Operation) -> None:
    theirs, nothing = names(await their(two))
    for values in (theirs, nothing):
        path = fill(operation.path, values)
        answer = await two.call(operation.method, path, two.two, operation.body, params=operation.query)
        assert not [value for value in (theirs["orderId"], theirs["keyId"]) if value in answer.text]


@pytest.mark.parametrize("operation", [o for o in guarded() if o.keyed and o.body], ids=str)
async def test_a_key_replays_nothing_of_another_account(two: Two, operation: Operation) -> None:
    key = {"idempotency-key": f"shared-{uuid4()}"}
    first = await two.call(operation.method, operation.path, two.one | key, operation.body)
    other = await two.call(operation.method, operation.path, two.two | key, operation.body)
    again = await two.call(operation.method, operation.path, two.one | key, operation.body)
    assert first.status_code == other.status_code == again.status_code < 300
    assert again.content == first.content
    assert not set(re.findall(r'"orderId":"([^"]+)"', first.text)) & set(re.findall(r'"orderId":"([^"]+)"', other.text))
    assert "idempotency-replayed" not in other.headers
    different = {**ORDER, "inputAmount": "7"}
    if operation.body == ORDER:
        # The same key with another request is refused to its own account only.
        fresh = {"idempotency-key": f"shared-{uuid4()}"}
        await two.call(operation.method, operation.path, two.one | fresh, operation.body)
        assert (await two.call(operation.method, operation.path, two.two | fresh, different)).status_code < 300


@pytest.mark.parametrize("operation", guarded(), ids=str)
async def test_403_when_the_key_has_every_scope_but_the_needed_one(two: Two, operation: Operation) -> None:
    lacking = two.key("one", *sorted(ALL_SCOPES - {operation.scope}))
    path = fill(operation.path, await their(two))
    answer = await two.call(operation.method, path, lacking, operation.body, params=operation.query)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize("operation", guarded(), ids=str)
async def test_every_set_of_scopes_does_what_it_names_and_no_more(two: Two, operation: Operation) -> None:
    sets = [s for size in (1, 2) for s in itertools.combinations(sorted(ALL_SCOPES), size)]
    for scopes in sets:
        path = fill(operation.path, names(await their(two))[1])
        answer = await two.call(operation.method, path, two.key("two", *scopes), operation.body, params=operation.query)
        refused = answer.status_code == 403
        # Who manages keys may not make one that does more than his own.
        lacks = operation.scope not in scopes or (
            operation.method == "POST"
            and operation.path == "/api/keys"
            and not set(operation.body["scopes"]) <= {*scopes}
        )
        assert refused == lacks, (scopes, answer.text)


async def refusal(two: Two, path: str, headers: dict[str, str]) -> tuple[int, bytes] | None:
    """Return the refusal of a handshake, or None when it is open and nothing is told."""
    try:
        async with connect(f"{two.engine.ws_url}{path}", additional_headers=headers, proxy=None) as socket:
            # History is sent right after the handshake: whatever there is comes before the pong.
            await (await socket.ping())
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(socket.recv(), 0.1)
            return None
    except InvalidStatus as error:
        return error.response.status_code, bytes(error.response.body or b"")


@pytest.mark.parametrize("path", ws_paths())
async def test_another_account_follows_nothing(two: Two, path: str) -> None:
    theirs, nothing = names(await their(two))
    told = [await refusal(two, fill(path, values), two.two) for values in (theirs, nothing)]
    assert told[0] == told[1]
    if "Id}" in path:
        assert told[0] is not None
        assert told[0][0] == 404


@pytest.mark.parametrize("path", ws_paths())
async def test_a_websocket_needs_the_scope_to_read(two: Two, path: str) -> None:
    path = fill(path, await their(two))
    lacking = two.key("one", *sorted(ALL_SCOPES - {"orders:read"}))
    assert (await refusal(two, path, lacking) or (0,))[0] == 403
    assert (await refusal(two, path, {}) or (0,))[0] == 401
