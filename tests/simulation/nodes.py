"""Nodes in front of the virtual chain that lie by the seed: behind, on a fork, denying, failing, silent."""

import asyncio
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
SKIPPED = 5_000  # slots without a block: a slot is not a height
HONEST, BEHIND, INDEX_BEHIND, DENIES = "honest", "behind", "index behind", "denies"


class Character:
    """How a node lies, the same for every process that asks it."""

    def __init__(self, name: str, rng: Random, forks: list[tuple[int, int]], *, may_deny: bool) -> None:
        self.name = name
        self.kind = rng.choice((HONEST, BEHIND, INDEX_BEHIND, DENIES) if may_deny else (HONEST, BEHIND, INDEX_BEHIND))
        self.lag = 0 if self.kind == HONEST else rng.choice((1, 5, 40, 150, 300))
        self.errors = rng.choice((0.0, 0.05, 0.3))
        self.silence = rng.choice((0.0, 0.0, 0.03, 0.1))
        self.lies_on_send = rng.choice((0.0, 0.1, 0.5, 0.9))
        self.forks = [fork for fork in forks if rng.random() < 0.7]

    def fork_since(self, height: int) -> int | None:
        """Return where the fork began that the node is on, None when it is on the chain that will be final."""
        return next((first for first, last in self.forks if first <= height <= last), None)


def _forks(rng: Random) -> list[tuple[int, int]]:
    """Return spans of heights, each shorter than finality takes, in which nodes may follow a fork."""
    starts = [GENESIS_HEIGHT + rng.randrange(700) for _ in range(rng.choice((0, 3, 10, 30)))]
    return [(start, start + rng.choice((rng.randrange(3, 12), FINAL_AFTER - 1))) for start in starts]


def characters(rng: Random) -> list[Character]:
    """Return one or two nodes, of which at most one denies what it knows."""
    names = ["first", "second"][: rng.randint(1, 2)]
    denier = rng.choice(names) if len(names) == 2 else ""
    forks = _forks(rng)
    return [Character(name, rng, forks, may_deny=name == denier) for name in names]


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
        """Return after a while."""
        await asyncio.sleep(min(longest, 0.02 + self._rng.random() * 0.2))

    async def finality(self) -> Finality:
        """Return the finalized block of the node."""
        await self._answer("finality")
        ahead = self._character.lag if self._lies(DENIES) else 0
        height = self._height() - FINAL_AFTER + ahead
        return Finality(height, height + SKIPPED)

    async def search(self, signature: str) -> Search:
        """Search the node's history."""
        await self._answer("search")
        height = self._indexed()
        found = self._shown(self._chain.transactions.get(signature), height) is not None
        ahead = self._character.lag if self._lies(DENIES) else 0
        return Search(height + SKIPPED + ahead, found)

    def _lies(self, *kinds: str) -> bool:
        return self._weather.stormy and self._character.kind in kinds

    def _height(self) -> int:
        return self._chain.height - (self._character.lag if self._lies(BEHIND) else 0)

    def _indexed(self) -> int:
        return self._chain.height - (self._character.lag if self._lies(BEHIND, INDEX_BEHIND) else 0)

    def _shown(self, transaction: "Transaction | None", height: int) -> Landing | None:
        if transaction is None or self._lies(DENIES):
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
            # On the fork it landed as well, and may have gone otherwise there.
            return Landing(transaction.signature, fork + SKIPPED, Commitment.PROCESSED, transaction.least_output)
        return None

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
