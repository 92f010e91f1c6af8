"""The clock of one host is minutes off."""

import time
from typing import Any

import pytest

from swaprail.auth import Principal, issue_ticket
from swaprail.testing.clocks import WrongClock

SECRET = "s" * 32
CALLER = Principal("local", "", frozenset({"orders:read"}))


@pytest.mark.parametrize("ahead_s", [-300, 300])
async def test_a_ticket_opens_a_socket_when_the_notifiers_clock_is_off(
    serve: Any, monkeypatch: pytest.MonkeyPatch, ahead_s: int
) -> None:
    ticket = issue_ticket(CALLER, SECRET.encode(), now=time.time())
    old = issue_ticket(CALLER, SECRET.encode(), now=time.time() - 40)
    monkeypatch.setattr("swaprail.clock.time", WrongClock(ahead_s))
    running = await serve(api_keys_required=True, ws_ticket_secret=SECRET)
    await running.connect(f"/ws/wallets/w?ticket={ticket}")
    assert (await running.refused(f"/ws/wallets/w?ticket={old}")).status_code == 401
