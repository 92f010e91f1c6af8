"""The chain by the word of one or more nodes, none of which is believed alone where money is at stake."""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence

from swaprail.deadline import Deadline
from swaprail.domain.chain import Commitment, Doubt, ExpiryProof, Finality, Landing, NodeProof, Search
from swaprail.domain.errors import EngineError, ErrorCode
from swaprail.ports.chain import ChainNode
from swaprail.ports.venues import VenueError
from swaprail_executor.heights import Heights
from swaprail_executor.judge_landing import judge_landing
from swaprail_executor.metrics import NODE_ERRORS

SLOT_S = 0.4
GRACE_S = 0.2  # how much later than the first node another one may answer
FURTHEST_BEHIND = 512  # heights that a node which answers is behind at most; asked only where a blockhash was not known
UNANSWERED = (VenueError, EngineError, OSError, TimeoutError)


class Nodes:
    """Implements ports.chain.Chain."""

    def __init__(
        self,
        nodes: Sequence[ChainNode],
        commitment: Commitment,
        *,
        timeout_s: float,
        valid_for: int,
        slot_s: float = SLOT_S,
    ) -> None:
        """Take landings from `commitment` up; wait so many seconds for each answer of a node.

        valid_for: heights after its own in which a blockhash lets a transaction land.
        """
        assert nodes
        self._nodes = tuple(nodes)
        self._commitment = commitment
        self._slot_s = slot_s
        self._heights = Heights(self._heights_knowing, valid_for=valid_for, slot_s=slot_s)
        self._deadline = Deadline(timeout_s, ErrorCode.UNAVAILABLE, f"the node did not answer in {timeout_s:g} s")

    async def send(self, raw: bytes) -> None:
        """Hand the bytes to every node; an error is raised when no node took them."""
        await self._ask("send", [node.send(raw) for node in self._nodes])

    async def last_valid_height(self, blockhash: str) -> int | None:
        """Return the height past which nothing with the blockhash can land; None unless every node knows it.

        A node that knows it has seen its block, so its own height, however far behind, is not below it.
        """
        return await self._heights.last_valid(blockhash)

    async def height_surely_past(self) -> int | None:
        """Return a height past which nothing can land that was signed before; None unless every node answers."""
        blockhashes = await self._of_all("blockhash", [node.latest_blockhash() for node in self._nodes])
        if blockhashes is None:
            return None
        return max(blockhash.last_valid_block_height for blockhash in blockhashes) + FURTHEST_BEHIND

    async def landings(self, signatures: Sequence[str]) -> Mapping[str, Landing | Doubt]:
        """Return what the nodes together show of those that any of them shows."""
        answers = await self._ask("landings", [node.statuses(signatures) for node in self._nodes])
        judged: dict[str, Landing | Doubt] = {}
        for signature in signatures:
            shown = [statuses[signature] for statuses in answers if signature in statuses]
            verdict = judge_landing(shown, len(self._nodes), self._commitment)
            if verdict is not None:
                judged[signature] = verdict
        return judged

    async def wait_hint(self, signature: str, longest: float) -> None:
        """Return when the first node says that it is worth asking."""
        await self._nodes[0].wait_hint(signature, longest)

    async def prove_expired(self, signature: str, last_valid_block_height: int) -> ExpiryProof | None:
        """Return the proof if every node is final past the last height and knows nothing of the signature."""
        found = await self._search_all(signature, last_valid_block_height)
        if found is None or len(found) > 1:
            return ExpiryProof(signature, last_valid_block_height, found) if found else None
        # One node alone: it must say so again, of a later slot.
        await asyncio.sleep(self._slot_s)
        again = await self._search_all(signature, last_valid_block_height)
        if again is None or not _is_later(*again, *found):
            return None
        return ExpiryProof(signature, last_valid_block_height, found + again)

    async def _heights_knowing(self, blockhash: str) -> list[int | None] | None:
        return await self._of_all("blockhash", [node.height_knowing(blockhash) for node in self._nodes])

    async def _of_all[T](self, call: str, asked: Sequence[Coroutine[object, object, T]]) -> list[T] | None:
        """Return the answers of all nodes, or None when one is missing."""
        try:
            answers = await self._ask(call, asked)
        except UNANSWERED:
            return None
        return answers if len(answers) == len(self._nodes) else None

    async def _search_all(self, signature: str, last_valid: int) -> list[NodeProof] | None:
        proofs = await asyncio.gather(*(self._search(node, signature, last_valid) for node in self._nodes))
        return None if None in proofs else [proof for proof in proofs if proof is not None]

    async def _search(self, node: ChainNode, signature: str, last_valid: int) -> NodeProof | None:
        finality: Finality = await self._deadline.wait(node.finality())
        if finality.block_height <= last_valid:
            return None
        # Only now: what the node knew before its finality passed the last height proves nothing.
        search: Search = await self._deadline.wait(node.search(signature))
        if search.found or search.slot < finality.slot:
            return None
        return NodeProof(node.name, finality.block_height, finality.slot, search.slot)

    async def _ask[T](self, call: str, asked: Sequence[Coroutine[object, object, T]]) -> list[T]:
        """Return what the nodes answer, without waiting long for those that are later than the first."""
        if len(asked) == 1:
            return [await self._deadline.wait(*asked)]
        waiting = {
            asyncio.create_task(self._deadline.wait(each)): node for each, node in zip(asked, self._nodes, strict=True)
        }
        answers: list[T] = []
        errors: list[BaseException] = []
        pending = set(waiting)
        try:
            while pending:
                done, pending = await asyncio.wait(
                    pending, timeout=GRACE_S if answers else None, return_when=asyncio.FIRST_COMPLETED
                )
                if not done:
                    break
                errors += [error for task in waiting if task in done and (error := task.exception())]
                answers += [task.result() for task in waiting if task in done and not task.exception()]
        finally:
            for task in waiting:
                task.cancel()
        for task, node in waiting.items():
            if task in pending or task.exception():
                NODE_ERRORS.labels(node.name, call).inc()
        unexpected = [error for error in errors if not isinstance(error, UNANSWERED)]
        if unexpected or not answers:
            raise (unexpected or errors)[0]
        return answers


def _is_later(proof: NodeProof, earlier: NodeProof) -> bool:
    return proof.searched_slot > earlier.searched_slot
