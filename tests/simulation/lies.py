"""The one node of several that lies, in a way that has a name, for the whole seed: in the storm, and often in the calm."""

from collections.abc import Sequence
from enum import StrEnum
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec

from swaprail.domain.chain import Blockhash, Commitment, Finality, Landing, Search
from tests.simulation.nodes import SKIPPED, Character, VirtualNode, forks

if TYPE_CHECKING:
    from tests.simulation.chain import Transaction


class Lie(StrEnum):
    """What a lying node says."""

    HEIGHT_LOW = "height-low"  # a last height too low for the hash that it comes with
    HEIGHT_HIGH = "height-high"
    LANDING = "landing"  # what never landed has landed, and whatever landed was done
    REVERT = "revert"  # whatever was sent has landed and reverted
    AMOUNT = "amount"  # another amount arrived
    FINALITY = "finality"  # blocks are final that are not
    DENIES = "denies"  # nothing was ever seen, and all is final
    ROLLED_BACK = "rolled-back"  # what landed on a fork is confirmed


# Of these the truth is not found out by two nodes, nor every end by three: such an order says openly that it reconciles.
MAY_RECONCILE = (Lie.LANDING, Lie.REVERT, Lie.DENIES)
_REVERTS = ("slippage_exceeded", "custom program error: 0x1771")


class Lying(msgspec.Struct, frozen=True):
    """What a run of seeds has in all of them; None: as each seed draws it."""

    lie: Lie | None = None
    nodes: int | None = None


class Liar(Character):
    """The character of a node that lies, with what it has said of each signature: it tells every process the same."""

    def __init__(self, name: str, rng: Random, itsforks: list[tuple[int, int]], lie: Lie) -> None:
        super().__init__(name, rng, itsforks)
        self.lie = lie
        self.by = rng.choice((120, rng.randint(1, 300)))
        self.share = rng.choice((0.3, 1.0))  # of what it is asked
        self.in_calm = rng.random() < 0.7
        self.said: dict[str, Landing | None] = {}


def characters(rng: Random, lie: Lie | None = None, nodes: int | None = None) -> list[Character]:
    """Return one to three nodes, of which at most one lies."""
    count = nodes or rng.choice((1, 1, 2, 2, 3))
    if lie is None and count > 1 and rng.random() < 0.7:
        lie = rng.choice(tuple(Lie))
    names, fallen = ["first", "second", "third"][:count], forks(rng)
    made = [Character(name, rng, fallen) for name in names]
    if lie is not None and count > 1:
        at = rng.randrange(count)
        made[at] = Liar(names[at], rng, fallen, lie)
    return made


def liar_of(nodes: Sequence[Character]) -> Liar | None:
    """Return the one that lies."""
    return next((node for node in nodes if isinstance(node, Liar)), None)


def may_reconcile(nodes: Sequence[Character]) -> bool:
    """Tell whether a node goes on lying, in the calm as well, in a way that can rightly keep an order from its end."""
    liar = liar_of(nodes)
    return liar is not None and liar.in_calm and liar.lie in MAY_RECONCILE


class LyingNode(VirtualNode):
    """A node that lies as its character says, and is honest about the rest."""

    _character: Liar

    async def latest_blockhash(self) -> Blockhash:
        """Return a true blockhash, with a last height that may be wrong."""
        truth = await super().latest_blockhash()
        return msgspec.structs.replace(truth, last_valid_block_height=truth.last_valid_block_height + self._too_high())

    async def height_knowing(self, blockhash: str) -> int | None:
        """Return a height that may be wrong, whether the node knows the blockhash or not."""
        truth, wrong = await super().height_knowing(blockhash), self._too_high()
        return self._chain.height + wrong if wrong else truth

    async def finality(self) -> Finality:
        """Return the finalized block, or one that is not final."""
        truth = await super().finality()
        ahead = self._ahead()
        return Finality(truth.block_height + ahead, truth.slot + ahead)

    async def search(self, signature: str) -> Search:
        """Search the history, and find what statuses shows."""
        truth = await super().search(signature)
        lie, slot = self._character.lie, truth.slot + self._ahead()
        if lie is Lie.DENIES and self._lies():
            return Search(slot, found=False)
        invented = lie in (Lie.LANDING, Lie.REVERT) and self._lies() and self._said_of(signature) is not None
        return Search(slot, truth.found or invented)

    async def statuses(self, signatures: Sequence[str]) -> dict[str, Landing]:
        """Return what the index shows, or something else."""
        truth = await super().statuses(signatures)
        if not self._lies():
            return truth
        told = {signature: self._instead(signature, truth.get(signature)) for signature in signatures}
        return {signature: landing for signature, landing in told.items() if landing is not None}

    def _instead(self, signature: str, truth: Landing | None) -> Landing | None:
        lie = self._character.lie
        if lie in (Lie.LANDING, Lie.REVERT):
            return self._said_of(signature) or truth
        if truth is None or lie is Lie.DENIES:
            return None
        if lie is Lie.FINALITY:
            return msgspec.structs.replace(truth, commitment=Commitment.FINALIZED)
        if lie is Lie.AMOUNT and truth.output_amount is not None:
            return msgspec.structs.replace(truth, output_amount=truth.output_amount + self._character.by)
        return truth

    def _said_of(self, signature: str) -> Landing | None:
        said = self._character.said
        if signature not in said:
            said[signature] = self._invent(signature) if self._tells() else None
        return said[signature]

    def _invent(self, signature: str) -> Landing:
        commitment = self._rng.choice(tuple(Commitment))
        slot = self._chain.height + SKIPPED
        if self._character.lie is Lie.REVERT:
            return Landing(signature, slot, commitment, error=self._rng.choice(_REVERTS))
        known = self._chain.transactions.get(signature)
        return Landing(signature, slot, commitment, known.least_output if known else 1)

    def _on_fork(self, transaction: "Transaction", slot: int) -> Landing:
        landing = super()._on_fork(transaction, slot)
        if self._character.lie is Lie.ROLLED_BACK and self._tells():
            return msgspec.structs.replace(landing, commitment=self._rng.choice(tuple(Commitment)))
        return landing

    def _too_high(self) -> int:
        by = {Lie.HEIGHT_LOW: -self._character.by, Lie.HEIGHT_HIGH: self._character.by}.get(self._character.lie, 0)
        return by if by and self._tells() else 0

    def _ahead(self) -> int:
        return self._character.by if self._character.lie in (Lie.FINALITY, Lie.DENIES) and self._lies() else 0

    def _lies(self) -> bool:
        return self._weather.stormy or self._character.in_calm

    def _tells(self) -> bool:
        if not self._lies() or self._rng.random() >= self._character.share:
            return False
        self._weather.counts[f"node told {self._character.lie}"] += 1
        return True


def node_of(character: Character, *around: Any) -> VirtualNode:
    """Return the node of a character, as one process sees it."""
    return (LyingNode if isinstance(character, Liar) else VirtualNode)(character, *around)
