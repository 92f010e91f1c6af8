"""What counts as a landing when nodes are at different heights, or when one of them lies."""

from itertools import permutations

import pytest

from swaprail.domain.chain import Commitment, Doubt, Landing
from swaprail_executor.judge_landing import judge_landing

PROCESSED, CONFIRMED, FINALIZED = Commitment
REVERT = "slippage_exceeded"


def done(commitment: Commitment = CONFIRMED, amount: int | None = 5, slot: int = 7) -> Landing:
    return Landing("s", slot, commitment, amount)


def reverted(commitment: Commitment = FINALIZED, error: str = REVERT) -> Landing:
    return Landing("s", 7, commitment, error=error)


def judge(*shown: Landing, nodes: int, wanted: Commitment = CONFIRMED) -> Landing | Doubt | None:
    """Return the verdict, which is the same in whatever order the nodes answered."""
    judged = [judge_landing(order, nodes, wanted) for order in permutations(shown)]
    kinds = {verdict if isinstance(verdict, Doubt) else type(verdict) for verdict in judged}
    assert len(kinds) == 1, judged
    return judged[0]


def test_a_landing_counts_when_the_only_node_shows_it() -> None:
    assert judge(done(), nodes=1) == done()
    assert judge(done(PROCESSED), nodes=1) is None
    assert judge(done(), nodes=1, wanted=FINALIZED) is Doubt.NOT_FINAL
    assert judge(done(FINALIZED), nodes=1, wanted=FINALIZED) == done(FINALIZED)


@pytest.mark.parametrize("nodes", [2, 3])
def test_a_landing_is_no_verdict_when_one_node_of_several_shows_it(nodes: int) -> None:
    assert judge(done(FINALIZED), nodes=nodes) is Doubt.ALONE
    assert judge(done(FINALIZED), done(PROCESSED), nodes=nodes) is Doubt.ALONE


@pytest.mark.parametrize("nodes", [2, 3])
def test_a_landing_counts_when_two_nodes_show_it(nodes: int) -> None:
    assert judge(done(CONFIRMED), done(FINALIZED), nodes=nodes) == done(FINALIZED)
    assert judge(done(CONFIRMED, slot=7), done(CONFIRMED, slot=8), nodes=nodes) in (done(slot=7), done(slot=8))


def test_a_landing_is_not_sure_when_one_of_two_shows_it_below_the_wanted_commitment() -> None:
    assert judge(done(CONFIRMED), done(FINALIZED), nodes=2, wanted=FINALIZED) is Doubt.NOT_FINAL
    assert judge(done(CONFIRMED), done(FINALIZED), nodes=3, wanted=FINALIZED) is Doubt.ALONE


def test_a_landing_counts_when_two_of_three_show_it_and_the_third_a_revert() -> None:
    assert judge(done(), done(), reverted(), nodes=3) == done()


@pytest.mark.parametrize("nodes", [1, 2, 3])
def test_a_revert_counts_when_it_is_final_by_every_node(nodes: int) -> None:
    assert judge(*[reverted()] * nodes, nodes=nodes) == reverted()
    assert judge(*[reverted()] * (nodes - 1), reverted(CONFIRMED), nodes=nodes) is Doubt.NOT_FINAL


@pytest.mark.parametrize("nodes", [2, 3])
def test_a_revert_is_no_verdict_when_a_node_does_not_show_it(nodes: int) -> None:
    assert judge(*[reverted()] * (nodes - 1), nodes=nodes) is Doubt.ALONE


def test_a_revert_is_disputed_when_another_node_shows_a_swap_or_another_reason() -> None:
    assert judge(reverted(), done(FINALIZED), nodes=2) is Doubt.DISPUTED
    assert judge(reverted(), reverted(), done(FINALIZED), nodes=3) is Doubt.DISPUTED
    assert judge(reverted(), reverted(error="custom program error: 0x1771"), nodes=2) is Doubt.DISPUTED


def test_the_amount_is_told_as_sure_when_two_nodes_tell_the_same() -> None:
    assert judge(done(), done(), nodes=2) == done()
    verdict = judge(done(), done(), done(amount=9), nodes=3)
    assert isinstance(verdict, Landing)
    assert (verdict.output_amount, verdict.amount_confirmed) == (5, True)


@pytest.mark.parametrize(("other", "told"), [(9, None), (None, 5)])
def test_the_amount_is_told_as_unsure_when_one_node_tells_it_alone(other: int | None, told: int | None) -> None:
    verdict = judge(done(), done(amount=other), nodes=2)
    assert isinstance(verdict, Landing)
    assert (verdict.output_amount, verdict.amount_confirmed) == (told, False)


@pytest.mark.parametrize("nodes", [1, 2])
def test_no_amount_is_told_as_sure_when_no_node_tells_one(nodes: int) -> None:
    verdict = judge(*[done(amount=None)] * nodes, nodes=nodes)
    assert isinstance(verdict, Landing)
    assert (verdict.output_amount, verdict.amount_confirmed) == (None, False)
