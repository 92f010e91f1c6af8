"""The chain by the word of one or more nodes, none of which is believed alone where money is at stake."""

import asyncio
from collections.abc import Coroutine, Sequence

from swaprail.deadline import Deadline
from swaprail.domain.chain import Commitment, ExpiryProof, Finality, Landing, NodeProof, Search
from swaprail.domain.errors import EngineError, ErrorCode
from swaprail.ports.chain import ChainNode
from swaprail.ports.venues import VenueError
from swaprail_executor.metrics import NODE_ERRORS

SLOT_S = 0.4
GRACE_S = 0.2  # how much later than the first node another one may answer
UNANSWERED = (VenueError, EngineError, OSError, TimeoutError)


class Nodes:
    """Implements ports.chain.Chain."""

    def __init__(self, nodes: Sequence[ChainNode], commitment: Commitment, *, timeout_s: float) -> None:
        """Take landings from `commitment` up; wait so many seconds for each answer of a node."""
        assert nodes
        self._nodes = tuple(nodes)
        self._commitment = commitment
        self._deadline = Deadline(timeout_s, ErrorCode.UNAVAILABLE, f"the node did not answer in {timeout_s:g} s")

    async def send(self, raw: bytes) -> None:
        """Hand the bytes to every node; an error is raised when no node took them."""
        await self._ask("send", [node.send(raw) for node in self._nodes])

    async def landings(self, signatures: Sequence[str]) -> dict[str, Landing]:
        """Return what any node shows at the commitment or above: a node that is behind shows less, never more."""
        sure: dict[str, Landing] = {}
        for statuses in await self._ask("landings", [node.statuses(signatures) for node in self._nodes]):
            for signature, landing in statuses.items():
                known = sure.get(signature)
                if landing.commitment >= self._commitment and (not known or known.commitment < landing.commitment):
                    sure[signature] = landing
        return sure

    async def wait_hint(self, signature: str, longest: float) -> None:
        """Return when the first node says that it is worth asking."""
        await self._nodes[0].wait_hint(signature, longest)

    async def prove_expired(self, signature: str, last_valid_block_height: int) -> ExpiryProof | None:
        """Return the proof if every node is final past the last height and knows nothing of the signature."""
        found = await self._search_all(signature, last_valid_block_height)
        if found is None or len(found) > 1:
            return ExpiryProof(signature, last_valid_block_height, found) if found else None
        # One node alone: it must say so again, of a later slot.
        await asyncio.sleep(SLOT_S)
        again = await self._search_all(signature, last_valid_block_height)
        if again is None or again[0].searched_slot <= found[0].searched_slot:
            return None
        return ExpiryProof(signature, last_valid_block_height, found + again)

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
            return [await self._deadline.wait(asked[0])]
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
