"""What the nodes together say of a landing: where there are several, none is believed alone."""

from collections import Counter
from collections.abc import Sequence

import msgspec

from swaprail.domain.chain import Commitment, Doubt, Landing

SHOWN_FROM = Commitment.CONFIRMED  # what is only processed may be rolled back, and counts for nothing
ENOUGH = 2


def judge_landing(shown: Sequence[Landing], nodes: int, wanted: Commitment) -> Landing | Doubt | None:
    """Return the landing if it is sure, why it is not, or None if no node shows any.

    shown: what some of so many nodes show of one signature. A swap is done when two of them show it at the wanted
    commitment, or the only one; that it reverted must be final, by the word of all: it ends an order without a swap.
    """
    known = [landing for landing in shown if landing.commitment >= SHOWN_FROM]
    done = [landing for landing in known if landing.error is None]
    reverted = [landing for landing in known if landing.error is not None]
    sure = [landing for landing in done if landing.commitment >= wanted]
    if len(sure) >= min(ENOUGH, nodes):
        return _with_amount(sure, nodes)
    if reverted and _all_final(reverted, nodes):
        return reverted[0]
    return _doubt(done, reverted, nodes)


def _all_final(reverted: Sequence[Landing], nodes: int) -> bool:
    final = [landing.error for landing in reverted if landing.commitment is Commitment.FINALIZED]
    return len(final) == nodes and len(set(final)) == 1


def _doubt(done: Sequence[Landing], reverted: Sequence[Landing], nodes: int) -> Doubt | None:
    if not done and not reverted:
        return None
    if (done and reverted) or len({landing.error for landing in reverted}) > 1:
        return Doubt.DISPUTED
    return Doubt.NOT_FINAL if len(done) + len(reverted) == nodes else Doubt.ALONE


def _with_amount(sure: Sequence[Landing], nodes: int) -> Landing:
    surest = max(sure, key=lambda landing: landing.commitment)
    told: Counter[int | None] = Counter(landing.output_amount for landing in sure if landing.output_amount is not None)
    amount = max(told, key=told.__getitem__, default=None)
    confirmed = told[amount] >= min(ENOUGH, nodes)
    known = amount if confirmed or len(told) == 1 else None
    return msgspec.structs.replace(surest, output_amount=known, amount_confirmed=confirmed)
