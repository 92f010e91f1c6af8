"""What the executor believes when the nodes of the chain are behind, on a fork, silent, or disagree."""

import asyncio
from collections.abc import Sequence

import pytest

from swaprail.domain.chain import Blockhash, Commitment, Doubt, Finality, Landing, Search
from swaprail.ports.venues import VenueError
from swaprail.testing.conditions import until
from swaprail_executor.metrics import NODE_ERRORS
from swaprail_executor.nodes import FURTHEST_BEHIND, Nodes

LAST_VALID = 150
VALID_FOR = 150


class AdapterFaultError(Exception):
    """A fault of ours, not of the chain's."""


class ScriptedNode:
    """A node that knows what a test tells it; its slots go on with each search."""

    def __init__(self, name: str = "one") -> None:
        self.name = name
        self.final = Finality(190, 195)
        self.height = 1000
        self.slot = 200
        self.found = False
        self.shown: dict[str, Landing] = {}
        self.fails = self.silent = self.stands_still = self.broken = False
        self.received: list[bytes] = []
        self.left_alone = self.hinted = 0

    async def _answer(self) -> None:
        if self.silent:
            await self._be_silent()
        if self.fails:
            raise VenueError("rate_limited", "429")
        if self.broken:
            raise AdapterFaultError

    async def _be_silent(self) -> None:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            self.left_alone += 1
            raise

    async def latest_blockhash(self) -> Blockhash:
        await self._answer()
        return Blockhash("hash", self.height + VALID_FOR)

    async def height_knowing(self, blockhash: str) -> int | None:
        await self._answer()
        return self.height if blockhash == "hash" else None

    async def send(self, raw: bytes) -> None:
        await self._answer()
        self.received.append(raw)

    async def statuses(self, signatures: Sequence[str]) -> dict[str, Landing]:
        await self._answer()
        return {s: self.shown[s] for s in signatures if s in self.shown}

    async def wait_hint(self, signature: str, longest: float) -> None:
        self.hinted += 1

    async def finality(self) -> Finality:
        await self._answer()
        return self.final

    async def search(self, signature: str) -> Search:
        await self._answer()
        self.slot += not self.stands_still
        return Search(self.slot, self.found)


def nodes(*each: ScriptedNode, commitment: Commitment = Commitment.CONFIRMED) -> Nodes:
    return Nodes(each, commitment, timeout_s=1, valid_for=VALID_FOR, slot_s=0)


def landing(commitment: Commitment, slot: int = 7) -> dict[str, Landing]:
    return {"s": Landing("s", slot, commitment, 5)}


async def test_a_landing_is_no_landing_when_it_is_only_processed() -> None:
    node = ScriptedNode()
    node.shown = landing(Commitment.PROCESSED)
    assert await nodes(node).landings(["s"]) == {}
    node.shown = landing(Commitment.CONFIRMED)
    assert await nodes(node).landings(["s"]) == node.shown
    assert await nodes(node, commitment=Commitment.FINALIZED).landings(["s"]) == {"s": Doubt.NOT_FINAL}


async def test_a_landing_counts_when_a_second_node_shows_it_as_well() -> None:
    behind, ahead = ScriptedNode("behind"), ScriptedNode("ahead")
    ahead.shown = landing(Commitment.FINALIZED, 8)
    for shown in ({}, landing(Commitment.PROCESSED)):
        behind.shown = shown
        assert await nodes(behind, ahead).landings(["s"]) == {"s": Doubt.ALONE}
    behind.shown = landing(Commitment.CONFIRMED)
    assert await nodes(behind, ahead).landings(["s"]) == ahead.shown
    assert await nodes(ahead, behind).landings(["s"]) == ahead.shown


async def test_a_revert_is_no_verdict_when_one_of_the_nodes_did_not_answer() -> None:
    each = [ScriptedNode("first"), ScriptedNode("second"), ScriptedNode("third")]
    revert = {"s": Landing("s", 7, Commitment.FINALIZED, error="slippage_exceeded")}
    for node in each:
        node.shown = revert
    assert await nodes(*each).landings(["s"]) == revert
    each[1].fails = True
    assert await nodes(*each).landings(["s"]) == {"s": Doubt.ALONE}


async def test_the_last_valid_height_is_the_highest_when_every_node_knows_the_blockhash() -> None:
    low, high = ScriptedNode("low"), ScriptedNode("high")
    low.height = 880
    assert await nodes(low, high).last_valid_height("hash") == 1150
    assert await nodes(high, low).last_valid_height("hash") == 1150
    assert await nodes(high, low).last_valid_height("another") is None


@pytest.mark.parametrize("fault", ["fails", "silent"])
async def test_there_is_no_height_when_one_of_the_nodes_gives_no_answer(fault: str) -> None:
    sick, well = ScriptedNode("sick"), ScriptedNode("well")
    setattr(sick, fault, True)
    async with asyncio.timeout(0.9):
        assert await nodes(sick, well).last_valid_height("hash") is None
        assert await nodes(sick, well).height_surely_past() is None


async def test_the_height_surely_past_is_far_above_the_highest_node_when_all_answer() -> None:
    low, high = ScriptedNode("low"), ScriptedNode("high")
    low.height = 880
    assert await nodes(low, high).height_surely_past() == 1150 + FURTHEST_BEHIND


@pytest.mark.parametrize("fault", ["fails", "silent"])
async def test_one_node_is_enough_to_send_and_to_look_when_the_other_gives_no_answer(fault: str) -> None:
    sick, well = ScriptedNode("sick"), ScriptedNode("well")
    setattr(sick, fault, True)
    well.shown = landing(Commitment.CONFIRMED)
    async with asyncio.timeout(0.9):
        await nodes(sick, well).send(b"raw")
        assert await nodes(sick, well).landings(["s"]) == {"s": Doubt.ALONE}
    assert well.received == [b"raw"]


async def test_an_error_is_raised_when_no_node_answers() -> None:
    first, second = ScriptedNode("first"), ScriptedNode("second")
    first.fails = second.fails = True
    with pytest.raises(VenueError):
        await nodes(first, second).send(b"raw")
    with pytest.raises(VenueError):
        await nodes(first, second).landings(["s"])


async def test_a_fault_of_ours_is_raised_when_another_node_answers_well() -> None:
    broken, well = ScriptedNode("broken"), ScriptedNode("well")
    broken.broken = True
    with pytest.raises(AdapterFaultError):
        await nodes(broken, well).landings(["s"])


async def test_a_late_node_is_left_alone_and_counted_when_another_has_answered() -> None:
    late, failing, well = ScriptedNode("late"), ScriptedNode("failing"), ScriptedNode("well")
    late.silent = failing.fails = True
    before = _errors("late", "failing", "well")
    await nodes(late, failing, well).landings(["s"])
    await until(lambda: late.left_alone == 1, within_s=0.5)  # the deadline of a node is later
    assert [now - then for now, then in zip(_errors("late", "failing", "well"), before, strict=True)] == [1, 1, 0]


async def test_its_errors_are_raised_not_counted_when_there_is_one_node() -> None:
    only = ScriptedNode("only")
    only.fails = True
    with pytest.raises(VenueError):
        await nodes(only).landings(["s"])
    assert _errors("only") == [0]


def _errors(*names: str) -> list[float]:
    return [NODE_ERRORS.labels(name, "landings")._value.get() for name in names]


async def test_the_first_node_gives_the_hint_when_there_are_several() -> None:
    first, second = ScriptedNode("first"), ScriptedNode("second")
    await nodes(first, second).wait_hint("s", 1)
    assert (first.hinted, second.hinted) == (1, 0)


async def test_expiry_is_proven_when_every_node_is_final_past_it_and_knows_nothing() -> None:
    proof = await nodes(ScriptedNode("first"), ScriptedNode("second")).prove_expired("s", LAST_VALID)
    assert proof is not None
    assert [(part.node, part.finalized_block_height) for part in proof.searches] == [("first", 190), ("second", 190)]


async def test_expiry_is_proven_by_one_node_when_it_says_so_twice_of_different_slots() -> None:
    node = ScriptedNode()
    proof = await nodes(node).prove_expired("s", LAST_VALID)
    assert proof is not None
    assert [part.searched_slot for part in proof.searches] == [201, 202]
    node.stands_still = True
    assert await nodes(node).prove_expired("s", LAST_VALID) is None


async def test_expiry_is_not_proven_when_a_node_is_not_final_past_the_last_height() -> None:
    behind, ahead = ScriptedNode("behind"), ScriptedNode("ahead")
    behind.final = Finality(LAST_VALID, LAST_VALID + 5)
    assert await nodes(behind, ahead).prove_expired("s", LAST_VALID) is None
    assert await nodes(behind).prove_expired("s", LAST_VALID) is None


async def test_expiry_is_not_proven_when_a_node_searched_an_older_state_than_its_finality() -> None:
    node = ScriptedNode()
    node.slot = 100  # its index is behind its blocks
    assert await nodes(node, ScriptedNode("other")).prove_expired("s", LAST_VALID) is None
    node.slot, node.stands_still = node.final.slot - 1, True
    assert await nodes(node, ScriptedNode("other")).prove_expired("s", LAST_VALID) is None
    node.slot = node.final.slot
    assert await nodes(node, ScriptedNode("other")).prove_expired("s", LAST_VALID) is not None


async def test_expiry_is_not_proven_when_one_node_knows_the_signature() -> None:
    knowing = ScriptedNode("knowing")
    knowing.found = True
    assert await nodes(ScriptedNode("other"), knowing).prove_expired("s", LAST_VALID) is None


async def test_expiry_is_not_proven_when_one_node_fails() -> None:
    sick = ScriptedNode("sick")
    sick.fails = True
    with pytest.raises(VenueError):
        await nodes(sick, ScriptedNode("well")).prove_expired("s", LAST_VALID)
