"""Makes rare paths frequent: short lives on the chain, eager claiming, and wallets whose orders fare badly."""

import asyncio
import importlib
from typing import Any

# Of the paper chain: two of a signed swap's lives pass within a trial.
SHORT_LIVES: dict[str, object] = {"paper_blockhash_blocks": 8, "paper_finality_slots": 2}
CLAIM_IDLE_MS = 500
FORGET_CONSUMER_MS = 3_000

# Wallets begin with what happens to their orders.
SLOW_ROUTE = "slow-route"  # the router takes longer than a message's lease
STUCK_ROUTE = "stuck-route"  # and longer than a drain
SLOW_BUILD = "slow-build"  # the executor takes up the order when its route is too old
DROP = "drop"  # the chain takes the first attempt, and loses it
NEVER = "never"  # and every other one
FORGED = "forged"  # the venue builds a swap for somebody else
PAUSES_S = {SLOW_ROUTE: 1.3, STUCK_ROUTE: 4.5}
SLOW_BUILD_S = 2.3


def claim_soon() -> None:
    """Let entries of dead consumers be claimed, and the consumers be forgotten, within a trial."""
    from swaprail.broker import keeper

    keeper.CLAIM_IDLE_MS, keeper.CLAIM_EVERY_S = CLAIM_IDLE_MS, 0.5
    keeper.FORGET_CONSUMER_MS = FORGET_CONSUMER_MS


def quicken() -> None:
    """Let what is done now and then be done all the time, and some wallets fare badly."""
    from swaprail_api.store.keys import KeyUsage
    from swaprail_router import housekeeping, measure_engine
    from swaprail_router.keep_horizons import Horizons
    from swaprail_venues.paper.builder import PaperSwapBuilder
    from swaprail_venues.paper.chain import PaperChain

    measure_engine.AUDIT_EVERY_S = measure_engine.MEASURE_EVERY_S = 1.0
    housekeeping.PURGE_EVERY = 2
    Horizons.__init__.__kwdefaults__.update(every_s=1.0, rest_s=1.0)  # type: ignore[union-attr]
    KeyUsage.__init__.__kwdefaults__["every_s"] = 0.5  # type: ignore[index]
    _lose(PaperChain)
    _forge(PaperSwapBuilder)
    _slow_down("swaprail_router.app", "route_order", PAUSES_S)
    _slow_down("swaprail_executor.app", "execute_order", {SLOW_BUILD: SLOW_BUILD_S})


def _slow_down(module: str, name: str, pauses: dict[str, float]) -> None:
    from swaprail.domain.lifecycle import Status

    app: Any = importlib.import_module(module)
    original = getattr(app, name)

    async def slowly(desk: Any, order: Any) -> None:
        pause = pauses.get(order.wallet.partition("#")[0], 0)
        if pause and order.status is not Status.SUBMITTED and order.seq <= 3:
            await asyncio.sleep(pause)
        await original(desk, order)

    setattr(app, name, slowly)


def _lose(chain: Any) -> None:
    from swaprail_venues.paper.transaction import open_transaction

    original = chain.send

    async def send(self: Any, raw: bytes) -> None:
        message = open_transaction(raw).message
        fate = message.wallet.partition("#")[0]
        if fate != NEVER and not (fate == DROP and message.attempt == 1):
            await original(self, raw)

    chain.send = send


def _forge(builder: Any) -> None:
    original = builder.build

    async def build(self: Any, order_id: Any, wallet: str, *args: Any) -> Any:
        forged = wallet.startswith(FORGED)
        return await original(self, order_id, "somebody" if forged else wallet, *args)

    builder.build = build
