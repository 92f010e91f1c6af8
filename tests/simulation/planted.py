"""Bugs that people make, planted one at a time into the engine or its store: the simulation has to find each."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec

import swaprail.db.leases
import swaprail.db.transitions
import swaprail_api.store.intake
import swaprail_api.store.starts
import swaprail_executor.execute_order
from swaprail.domain.chain import Commitment, ExpiryProof, Finality, NodeProof
from swaprail.domain.orders import LeasedOrder
from swaprail.domain.quotes import QuoteRequest, Routing
from swaprail.messages.topics import OrderEvent
from swaprail_executor import judge_landing
from swaprail_executor.desk import Attempt
from swaprail_executor.nodes import UNANSWERED, Nodes
from swaprail_executor.settle_attempt import settle_expired
from swaprail_executor.submit_attempt import submit_attempt
from swaprail_notifier.comparison import Comparison
from swaprail_notifier.hub import Hub
from swaprail_notifier.order_log import Step
from tests.simulation.lies import Lie, Lying
from tests.simulation.nodes import SKIPPED, VALID_FOR, VirtualNode
from tests.simulation.statements import moves

type Patch = Callable[[Any, str, Any], None]  # setattr(owner, name, value), undone later


class Bug(msgspec.Struct, frozen=True):
    """A bug, how to plant it, and the invariants of which it must break one."""

    name: str
    plant: Callable[[Patch], None]
    breaks: tuple[str, ...]
    lying: Lying = Lying()


def _no_lease(patch: Patch) -> None:
    patch(moves, "fence_holds", lambda *_: True)
    patch(moves, "lease_is_own", lambda *_: True)


def _fence_is_a_lease(patch: Patch) -> None:
    patch(moves, "lease_is_own", lambda *_: True)


def _message_believed(patch: Patch) -> None:
    patch(moves, "terms_hold", lambda *_: True)


def _send_before_commit(patch: Patch) -> None:
    async def submit(desk: Any, order: LeasedOrder, route: Any) -> Any:
        request = QuoteRequest(order.input_mint, order.output_mint, order.input_amount)
        built = await desk.builder.build(order.id, order.wallet, order.attempts + 1, request, route)
        with suppress(*UNANSWERED):
            await desk.chain.send((await desk.signer.sign(built)).raw)
        return await submit_attempt(desk, order, route)

    patch(swaprail_executor.execute_order, "submit_attempt", submit)


def _trust_null_status(patch: Patch) -> None:
    async def prove(self: Nodes, signature: str, last_valid: int) -> ExpiryProof | None:
        if await self.landings((signature,)):
            return None
        return ExpiryProof(signature, last_valid, [NodeProof("any", 0, 0, 0)])

    patch(Nodes, "prove_expired", prove)


def _processed_height(patch: Patch) -> None:
    async def finality(self: VirtualNode) -> Finality:
        await self._answer("finality")
        return Finality(self._height(), self._height() + SKIPPED)

    patch(VirtualNode, "finality", finality)


def _events_believed(patch: Patch) -> None:
    real = Hub.take

    def take(self: Hub, event: OrderEvent) -> None:
        self.merge(event.order_id, [Step(event.seq, event.status, event.at, bytes(event.data))])
        real(self, event)

    patch(Hub, "take", take)


def _endless_hand_over(patch: Patch) -> None:
    for module in (swaprail.db.transitions, swaprail_api.store.intake, swaprail_api.store.starts):
        patch(module, "HANDOVER_S", 1e6)
    # A scan takes what is held for longer than anything may be.
    patch(swaprail.db.leases, "LONGEST_WAIT_S", 1e7)


def _sign_again_on_resume(patch: Patch) -> None:
    module = swaprail_executor.execute_order
    real = module._resume

    async def resume(desk: Any, order: LeasedOrder) -> None:
        routing = msgspec.json.decode(order.routing, type=Routing)
        assert routing.route is not None
        request = QuoteRequest(order.input_mint, order.output_mint, order.input_amount)
        with suppress(*UNANSWERED):
            built = await desk.builder.build(order.id, order.wallet, order.attempts, request, routing.route)
            await desk.chain.send((await desk.signer.sign(built)).raw)
        await real(desk, order)

    patch(module, "_resume", resume)


def _one_node_is_enough(patch: Patch) -> None:
    async def search_all(self: Nodes, signature: str, last_valid: int) -> list[NodeProof] | None:
        for node in self._nodes:
            try:
                found = await self._search(node, signature, last_valid)
            except UNANSWERED:
                continue
            if found is not None:
                return [found, found]
        return None

    patch(Nodes, "_search_all", search_all)


def _search_before_finality(patch: Patch) -> None:
    async def search(self: Nodes, node: Any, signature: str, last_valid: int) -> NodeProof | None:
        finality = await self._deadline.wait(node.finality())
        if finality.block_height <= last_valid or (await self._deadline.wait(node.search(signature))).found:
            return None
        return NodeProof(node.name, finality.block_height, finality.slot, finality.slot + finality.block_height % 2)

    patch(Nodes, "_search", search)


def _settle_processed(patch: Patch) -> None:
    real = Nodes.__init__

    def init(self: Nodes, nodes: Any, _: Commitment, **rest: Any) -> None:
        real(self, nodes, Commitment.PROCESSED, **rest)

    patch(Nodes, "__init__", init)
    patch(judge_landing, "SHOWN_FROM", Commitment.PROCESSED)


def _one_node_tells_the_height(patch: Patch) -> None:
    async def last_valid_height(self: Nodes, blockhash: str) -> int | None:
        for node in self._nodes:
            with suppress(*UNANSWERED):
                height = await node.height_knowing(blockhash)
                return None if height is None else height + VALID_FOR
        return None

    patch(Nodes, "last_valid_height", last_valid_height)


def _heights_of_whoever_answers(patch: Patch) -> None:
    # Of two, one lies, and the other has not seen the block of the blockhash yet.
    async def last_valid_height(self: Nodes, _: str) -> int | None:
        answers = await self._of_all("blockhash", [node.latest_blockhash() for node in self._nodes])
        return None if answers is None else max(answer.last_valid_block_height for answer in answers)

    patch(Nodes, "last_valid_height", last_valid_height)


def _any_revert(patch: Patch) -> None:
    patch(judge_landing, "_all_final", lambda *_: True)


def _a_lone_landing(patch: Patch) -> None:
    patch(judge_landing, "ENOUGH", 1)


def _the_first_amount(patch: Patch) -> None:
    patch(judge_landing, "_with_amount", lambda sure, _: sure[0])


def _no_comparison(patch: Patch) -> None:
    async def nothing(_: Comparison) -> None:
        """Read nothing."""

    patch(Comparison, "read_named", nothing)
    patch(Comparison, "compare", nothing)


def _any_body_for_a_key(patch: Patch) -> None:
    real = swaprail_api.store.intake._judge

    def judge(row: Any, known: Any) -> Any:
        return real(row._replace(request_sha256=known["request_sha256"]), known)

    patch(swaprail_api.store.intake, "_judge", judge)


def _no_proof_at_all(patch: Patch) -> None:
    async def resume(desk: Any, order: LeasedOrder) -> None:
        # "It was sent by a worker that died: better route it again."
        live = await desk.live_attempt(order.id)
        proof = ExpiryProof(live.swap.signature, live.swap.last_valid_block_height, [])
        await settle_expired(desk, order, Attempt(live.swap, live.venue, None), proof)

    patch(swaprail_executor.execute_order, "_resume", resume)


LOW, ALONE = Lying(Lie.HEIGHT_LOW, 2), Lying(nodes=1)
BUGS = (
    Bug("no lease check", _no_lease, ("I12",)),
    Bug("a fence is a lease", _fence_is_a_lease, ("I12",)),
    Bug("message believed", _message_believed, ("I14",)),
    Bug("send before commit", _send_before_commit, ("I4",)),
    Bug("null status trusted", _trust_null_status, ("I2", "I3", "I5")),
    Bug("expiry by processed height", _processed_height, ("I2", "I3", "I5"), ALONE),
    Bug("an event is believed", _events_believed, ("I7",)),
    Bug("hand-over never lapses", _endless_hand_over, ("I9",)),
    Bug("signed again on resume", _sign_again_on_resume, ("I4",)),
    Bug("proof by one node of two", _one_node_is_enough, ("I2", "I3", "I5")),
    Bug("search older than the finality", _search_before_finality, ("I2", "I3", "I5")),
    Bug("processed landing trusted", _settle_processed, ("I3", "I13")),
    Bug("height by the word of one node", _one_node_tells_the_height, ("I2", "I3", "I5"), LOW),
    Bug("height of nodes that do not know the blockhash", _heights_of_whoever_answers, ("I2", "I3", "I5"), LOW),
    Bug("revert by the word of one node", _any_revert, ("I2", "I3")),
    Bug("landing by the word of one node", _a_lone_landing, ("I3",)),
    Bug("amount by the word of one node", _the_first_amount, ("I13",)),
    Bug("no comparison with the table", _no_comparison, ("I7",)),
    Bug("key taken for another body", _any_body_for_a_key, ("I8",)),
    Bug("replaced without proof on resume", _no_proof_at_all, ("I2", "I3", "I5")),
)
