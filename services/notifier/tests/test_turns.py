"""Long work lets others run, and short work does not."""

import asyncio
from types import SimpleNamespace

import pytest

from swaprail_notifier import turns as module
from swaprail_notifier.turns import TURN_S, Turns


async def test_others_run_when_a_turn_has_been_long_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    ran: list[int] = []
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    turns = Turns()
    for spent, others_run in ((TURN_S / 2, False), (TURN_S / 2, True), (TURN_S / 2, False), (TURN_S, True)):
        ran.clear()
        asyncio.get_running_loop().call_soon(ran.append, 1)
        now[0] += spent
        async with asyncio.timeout(0.5):
            await turns.share()
        assert bool(ran) is others_run
        await asyncio.sleep(0)
