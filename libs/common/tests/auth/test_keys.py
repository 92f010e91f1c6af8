from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from swaprail.auth import (
    LOCAL,
    ApiKey,
    CachedKeyStore,
    NewKey,
    Principal,
    TicketRefusedError,
    authenticate,
    burn_name,
    generate_key,
    issue_ticket,
    parse_key,
    read_ticket,
    verify,
)
from swaprail.domain.errors import EngineError, ErrorCode

SECRET = b"s" * 32
CALLER = Principal("acme", "k1", frozenset({"orders:read"}))


class Keys:
    def __init__(self, *keys: ApiKey) -> None:
        self.by_id = {key.id: key for key in keys}
        self.asked = 0

    async def find(self, key_id: str) -> ApiKey | None:
        self.asked += 1
        return self.by_id.get(key_id)


def stored(new: NewKey, **changes: Any) -> ApiKey:
    return ApiKey(new.id, "acme", new.secret_sha256, frozenset({"orders:read"}), **changes)


async def test_verify_names_the_account_when_the_key_is_right() -> None:
    new = generate_key()
    principal = await verify(f"Bearer {new.text}", Keys(stored(new)))
    assert principal == Principal("acme", new.id, frozenset({"orders:read"}))


async def test_verify_refuses_when_key_is_unknown_wrong_expired_or_revoked() -> None:
    new, other = generate_key(), generate_key()
    past = datetime.now(UTC) - timedelta(seconds=1)
    wrong = f"swr_{new.id}_{other.text.split('_', 2)[2]}"
    tries = [
        (None, Keys(stored(new))),
        ("", Keys(stored(new))),
        (new.text, Keys(stored(new))),
        (f"Basic {new.text}", Keys(stored(new))),
        (f"Bearer {wrong}", Keys(stored(new))),
        (f"Bearer {other.text}", Keys(stored(new))),
        (f"Bearer {new.text}", Keys(stored(new, expires_at=past))),
        (f"Bearer {new.text}", Keys(stored(new, revoked_at=past))),
    ]
    for header, keys in tries:
        with pytest.raises(EngineError) as caught:
            await verify(header, keys)
        assert caught.value.code is ErrorCode.UNAUTHENTICATED


async def test_everybody_is_local_when_no_key_is_required_and_none_is_sent() -> None:
    new = generate_key()
    assert await authenticate(None, Keys(), required=False) == LOCAL
    assert (await authenticate(f"Bearer {new.text}", Keys(stored(new)), required=False)).account == "acme"
    with pytest.raises(EngineError):
        await authenticate(None, Keys(), required=True)


async def test_cached_key_is_asked_for_again_when_ten_seconds_have_passed() -> None:
    new, now = generate_key(), [0.0]
    keys = Keys(stored(new))
    cached = CachedKeyStore(keys, clock=lambda: now[0])
    for at, asked in [(0.0, 1), (9.9, 1), (10.0, 2)]:
        now[0] = at
        assert await cached.find(new.id) == stored(new)
        assert keys.asked == asked


@pytest.mark.parametrize("ends", ["revoked_at", "expires_at"])
async def test_a_key_works_for_less_than_ten_seconds_more_when_it_was_found_just_before_it_ended(ends: str) -> None:
    new, now = generate_key(), [0.0]
    keys = Keys(stored(new))
    cached = CachedKeyStore(keys, clock=lambda: now[0])
    await verify(f"Bearer {new.text}", cached)
    keys.by_id[new.id] = stored(new, **{ends: datetime.now(UTC) - timedelta(seconds=1)})
    now[0] = 9.99
    await verify(f"Bearer {new.text}", cached)
    now[0] = 10.0
    with pytest.raises(EngineError):
        await verify(f"Bearer {new.text}", cached)


async def test_a_cached_key_stops_at_its_own_end_when_that_comes_sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    new, end = generate_key(), datetime.now(UTC) + timedelta(seconds=5)
    cached = CachedKeyStore(Keys(stored(new, expires_at=end)), clock=lambda: 0.0)
    monkeypatch.setattr("swaprail.auth.principals.database_now", lambda: end - timedelta(microseconds=1))
    await verify(f"Bearer {new.text}", cached)
    monkeypatch.setattr("swaprail.auth.principals.database_now", lambda: end)
    with pytest.raises(EngineError):
        await verify(f"Bearer {new.text}", cached)


async def test_cache_forgets_the_oldest_key_when_it_is_full() -> None:
    new = [generate_key() for _ in range(3)]
    keys = Keys(*map(stored, new))
    cached = CachedKeyStore(keys, max_keys=2)
    for key in [*new, new[0]]:
        await cached.find(key.id)
    assert keys.asked == 4


def test_key_text_round_trips_when_parsed() -> None:
    new = generate_key()
    parsed = parse_key(new.text)
    assert parsed is not None
    assert parsed[0] == new.id
    assert parse_key(new.text + "x") is None
    assert parse_key("swr_short_key") is None


def test_ticket_tells_its_caller_when_it_is_fresh_and_ours() -> None:
    ticket = issue_ticket(CALLER, SECRET, now=1000)
    assert read_ticket(ticket, SECRET, now=1029) == CALLER
    assert burn_name(ticket) != burn_name(issue_ticket(CALLER, SECRET, now=1000))


@pytest.mark.parametrize("issued", [1000, 1000.9])
def test_ticket_ends_to_the_second_and_never_later_than_thirty_of_them(issued: float) -> None:
    ticket = issue_ticket(CALLER, SECRET, now=issued)
    assert read_ticket(ticket, SECRET, now=1030) == CALLER
    with pytest.raises(TicketRefusedError):
        read_ticket(ticket, SECRET, now=1030.001)


@pytest.mark.parametrize("tamper", [lambda t: t[:-4] + "AAAA", lambda _: "", lambda _: "é", lambda t: "A" + t])
def test_ticket_is_refused_when_it_was_tampered_with(tamper: Callable[[str], str]) -> None:
    ticket = tamper(issue_ticket(CALLER, SECRET, now=1000))
    with pytest.raises(TicketRefusedError):
        read_ticket(ticket, SECRET, now=1001)


def test_ticket_is_refused_when_it_is_old_or_signed_by_another() -> None:
    ticket = issue_ticket(CALLER, SECRET, now=1000)
    with pytest.raises(TicketRefusedError):
        read_ticket(ticket, SECRET, now=1031)
    with pytest.raises(TicketRefusedError):
        read_ticket(ticket, b"t" * 32, now=1001)
