"""Nodes in front of the virtual chain that err by the seed, in the storm: behind, on a fork, failing, silent."""

import asyncio
import math
from collections.abc import Sequence
from random import Random
from typing import TYPE_CHECKING

from swaprail.domain.chain import Blockhash, Commitment, Finality, Landing, Search
from swaprail.ports.venues import VenueError
from tests.simulation.loop import Process, VirtualLoop
from tests.simulation.weather import Weather

if TYPE_CHECKING:
    from tests.simulation.chain import Transaction, VirtualChain

GENESIS_HEIGHT = 1_000
CONFIRMED_AFTER = 2
FINAL_AFTER = 32
VALID_FOR = 150
SKIPPED = 5_000  # slots without a block: a slot is not a height
HONEST, BEHIND, INDEX_BEHIND = "honest", "behind", "index behind"


def height_of(blockhash: str) -> int:
    """Return the height of a blockhash."""
    return int(blockhash.removeprefix("hash "))


class Character:
    """How a node errs, the same for every process that asks it."""

    def __init__(self, name: str, rng: Random, forks: list[tuple[int, int]]) -> None:
        self.name = name
        self.kind = rng.choice((HONEST, BEHIND, INDEX_BEHIND))
        self.lag = 0 if self.kind == HONEST else rng.choice((1, 5, 40, 150, 300))
        self.behind_until = rng.choice((math.inf, rng.random() * 20))  # of the loop's time: then it has caught up
        self.errors = rng.choice((0.0, 0.05, 0.3))
        self.silence = rng.choice((0.0, 0.0, 0.03, 0.1))
        self.lies_on_send = rng.choice((0.0, 0.1, 0.5, 0.9))
        self.forks = [fork for fork in forks if rng.random() < 0.7]

    def fork_since(self, height: int) -> int | None:
        """Return where the fork began that the node is on, None when it is on the chain that will be final."""
        return next((first for first, last in self.forks if first <= height <= last), None)


def forks(rng: Random) -> list[tuple[int, int]]:
    """Return spans of heights, each shorter than finality takes, in which nodes may follow a fork."""
    starts = [GENESIS_HEIGHT + rng.randrange(700) for _ in range(rng.choice((0, 10, 30)))]
    return [(start, start + rng.choice((rng.randrange(3, 12), FINAL_AFTER - 1))) for start in starts]


class VirtualNode:
    """Implements ports.chain.ChainNode for one process."""

    def __init__(
        self,
        character: Character,
        chain: "VirtualChain",
        process: Process,
        loop: VirtualLoop,
        rng: Random,
        weather: Weather,
    ) -> None:
        self.name = character.name
        self._character = character
        self._chain = chain
        self._process = process
        self._loop = loop
        self._rng = rng
        self._weather = weather

    async def latest_blockhash(self) -> Blockhash:
        """Return the blockhash of the height as the node sees it."""
        await self._answer("blockhash")
        return self._chain.blockhash_at(self._height())

    async def height_knowing(self, blockhash: str) -> int | None:
        """Return the height as the node sees it, if the blockhash is one of its last."""
        await self._answer("blockhash")
        own, height = self._height(), height_of(blockhash)
        return own if height <= own <= height + VALID_FOR else None

    async def send(self, raw: bytes) -> None:
        """Forward the bytes, or not, and say so, or not."""
        await self._weather.tempt(self._process, "before send")
        self._chain.handed(raw)
        lie, weather = self._lie(), self._weather
        if lie != "ok but dropped":
            delay = self._rng.random() * 8 if lie == "held back" else weather.latency()
            for _ in range(2 if lie == "sent twice" else 1):
                self._loop.outside(delay, self._chain.receive, raw)
        await self._answer("send")
        await weather.tempt(self._process, "after send")
        if lie == "error but sent":
            raise VenueError("unavailable", "the node answered with an error")

    async def statuses(self, signatures: Sequence[str]) -> dict[str, Landing]:
        """Return what the node's index shows."""
        await self._answer("statuses")
        height = self._indexed()
        shown = {s: self._shown(self._chain.transactions.get(s), height) for s in signatures}
        return {signature: landing for signature, landing in shown.items() if landing is not None}

    async def wait_hint(self, signature: str, longest: float) -> None:
        """Return after a while, mostly so long that one question a round is left: those are what a seed spends its time on."""
        await asyncio.sleep(min(longest, 0.02 + self._rng.random() * self._rng.choice((0.2, 1.0, 1.0, 1.0))))

    async def finality(self) -> Finality:
        """Return the finalized block of the node."""
        await self._answer("finality")
        height = self._height() - FINAL_AFTER
        return Finality(height, height + SKIPPED)

    async def search(self, signature: str) -> Search:
        """Search the node's history."""
        await self._answer("search")
        height = self._indexed()
        found = self._shown(self._chain.transactions.get(signature), height) is not None
        return Search(height + SKIPPED, found)

    def _errs(self, *kinds: str) -> bool:
        character = self._character
        return self._weather.stormy and character.kind in kinds and self._loop.now < character.behind_until

    def _height(self) -> int:
        return self._chain.height - (self._character.lag if self._errs(BEHIND) else 0)

    def _indexed(self) -> int:
        return self._chain.height - (self._character.lag if self._errs(BEHIND, INDEX_BEHIND) else 0)

    def _shown(self, transaction: "Transaction | None", height: int) -> Landing | None:
        if transaction is None:
            return None
        own = self._height()
        since = self._character.fork_since(own) if self._weather.stormy else None
        landed = transaction.height
        if landed is not None and landed <= height and (since is None or landed < since):
            depth = height - landed
            commitment = Commitment((depth >= CONFIRMED_AFTER) + (depth >= FINAL_AFTER))
            slot = landed + SKIPPED
            return Landing(transaction.signature, slot, commitment, transaction.output, transaction.error)
        fork = transaction.fork
        if fork is not None and since is not None and since <= fork <= height:
            return self._on_fork(transaction, fork + SKIPPED)
        return None

    def _on_fork(self, transaction: "Transaction", slot: int) -> Landing:
        # On the fork it landed as well, and may have gone otherwise there.
        return Landing(transaction.signature, slot, Commitment.PROCESSED, transaction.least_output)

    def _lie(self) -> str:
        if not self._weather.chance(self._character.lies_on_send, "node lied about a send"):
            return ""
        return self._rng.choice(("ok but dropped", "error but sent", "held back", "sent twice"))

    async def _answer(self, call: str) -> None:
        if self._weather.chance(self._character.silence, "node silent"):
            await self._loop.create_future()
        await asyncio.sleep(self._weather.latency())
        if self._weather.chance(self._character.errors, "node error"):
            raise self._rng.choice(
                (VenueError("rate_limited", "429"), OSError("reset"), VenueError("unavailable", call))
            )
