"""What must hold whichever two statements meet, and however: rules of the orders, not a table of outcomes."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg

from tests.invariants.attempts import check_attempts
from tests.invariants.leases import check_leases
from tests.invariants.orders import check_histories
from tests.races.race import Answer, Race, Stage, alone
from tests.races.stored import Stored
from tests.races.whole import check_whole


async def broken_rules(stage: Stage, race: Race) -> list[str]:
    """Return what the meeting broke, in words."""
    return [
        *await check_histories(stage.ring.looking),
        # What of an attempt is said by the chain's ledger is not for here: there is no chain.
        *(text for text in await check_attempts(stage.ring.looking) if "ledger" not in text),
        *await check_leases(stage.ring.looking),
        *check_whole(race.after),
        *_told_is_stored(stage, race),
        *_only_forward(stage, race),
        *_closed_stays(stage, race),
        *_fences(race),
        *_leases(stage, race),
        *_answered(race),
        *_waits(stage, race),
        *_as_if_alone(race),
        *await _idle_for_a_reason(stage, race),
    ]


def _told_is_stored(stage: Stage, race: Race) -> Iterator[str]:
    """Every step that is told of is a row, and every new row is told of, once."""
    told = Counter((e.order_id, e.seq, str(e.status), e.at) for answer in race.told for e in answer.heard.events)
    known = {(row["order_id"], row["seq"]) for row in stage.before.events}
    new = [row for row in race.after.events if (row["order_id"], row["seq"]) not in known]
    stored = Counter((row["order_id"], row["seq"], row["status"], row["ms"]) for row in new)
    if told != stored:
        yield f"told {[*map(str, (told - stored).elements())]}, stored {[*map(str, (stored - told).elements())]}"


def _only_forward(stage: Stage, race: Race) -> Iterator[str]:
    """History is only added to; seq grows by the steps, and the fence by what raises it."""
    kept = [row for row in race.after.events if row in stage.before.events]
    if len(kept) < len(stage.before.events):
        yield "history was rewritten"
    for order_id, was in stage.before.orders.items():
        now = race.after.orders[order_id]
        steps = sum(event.order_id == order_id for answer in race.told for event in answer.heard.events)
        if now["seq"] != was["seq"] + steps:
            yield f"seq went from {was['seq']} to {now['seq']} by {steps} steps"
        raised = sum(answer.deed.raises and _concerns(answer, order_id) for answer in race.told)
        if now["fence"] != was["fence"] + raised:
            yield f"the fence went from {was['fence']} to {now['fence']}, raised {raised} times"


def _concerns(answer: Answer, order_id: UUID) -> bool:
    return any(e.order_id == order_id for e in answer.heard.events) or any(o.id == order_id for o in answer.leased)


def _closed_stays(stage: Stage, race: Race) -> Iterator[str]:
    """What the first has closed, or was closed before, the second changes in nothing."""
    for earlier in (stage.before, race.between):
        for order_id, row in earlier.orders.items():
            if row["closed_at"] is not None and _of(order_id, earlier) != _of(order_id, race.after):
                yield f"a closed order went from {row['status']} to {race.after.orders[order_id]['status']}"


def _of(order_id: UUID, stored: Stored) -> Any:
    return stored.orders[order_id], *([r for r in rows if r["order_id"] == order_id] for rows in stored[1:3])


def _fences(race: Race) -> Iterator[str]:
    """No fence is given to two; none is told that is not stored; whoever has the order's fence has its lease."""
    given = [(o, a) for a in race.told for o in (*(item.order for item in a.heard.handed), *a.leased)]
    if len({(order.id, order.fence) for order, _ in given}) < len(given):
        yield "one fence was given to two"
    for order, answer in given:
        row = race.after.orders.get(order.id)
        if row is None or order.fence > row["fence"]:
            yield f"{answer.deed.name} was told of fence {order.fence}, which is not stored"
        elif order.fence == row["fence"] and row["lease_until"] is None:
            yield f"{answer.deed.name} was told that it holds fence {order.fence}, and nobody does"


def _leases(stage: Stage, race: Race) -> Iterator[str]:
    """No lease is taken before it has lapsed; what was given back stays so; what is said to be lost is."""
    for answer in race.told:
        for order in answer.leased:
            until = stage.before.orders[order.id]["lease_until"]
            if until is not None and until > datetime.now(UTC):
                yield f"{answer.deed.name} took what another held"
    for answer, was, now in ((race.first, stage.before, race.between), (race.second, race.between, race.after)):
        if answer.deed.name != "renew" or race.late:
            continue
        held = stage.scene.held
        before, after = was.orders[held.id], now.orders[held.id]
        if before["lease_until"] is None and after["lease_until"] is not None:
            yield "a lease that was given back is renewed"
        # Said to be kept is what was so in the snapshot; said to be lost is acted upon, and must be true.
        if not answer.result and after["fence"] == held.fence:
            yield "a lease is said to be lost, and is not"


def _answered(race: Race) -> Iterator[str]:
    """Whoever loses is told why, not what the database makes of it."""
    for answer in race.told:
        if isinstance(answer.result, asyncpg.PostgresError):
            yield f"{answer.deed.name} was answered {type(answer.result).__name__}: {answer.result}"


def _waits(stage: Stage, race: Race) -> Iterator[str]:
    """Whoever comes second to what it would write waits for who has written it, unless it skips that."""
    earlier, later = race.alone[race.late].touched, race.alone[not race.late]
    if race.way == "one after the other" or (race.way == "at the clock" and not race.late):
        earlier = set()
    key = {f"{stage.scene.placed.account} {stage.scene.placed.key}"} if later.deed.places else set()
    if race.waited != (bool(earlier & (later.touched | key)) and not later.deed.skips):
        yield f"waited: {race.waited}; the other wrote {earlier}, it would write {later.touched | key}"


def _as_if_alone(race: Race) -> Iterator[str]:
    """Whoever comes first to the row, or whose rival is taken back, is told what it is told alone."""
    cases = [(race.second, race.alone[1]) if race.late else (race.first, race.alone[0])]
    if race.taken_back and not race.second.deed.skips:
        cases.append((race.second, race.alone[1]))
    for answer, by_itself in cases:
        if (answer.steps, len(answer.leased)) != (by_itself.answer.steps, len(by_itself.answer.leased)):
            yield f"{answer.deed.name} came first and was told {answer.steps}, not {by_itself.answer.steps}"


async def _idle_for_a_reason(stage: Stage, race: Race) -> list[str]:
    """Whoever would have written before the other, and wrote nothing after it, has nothing to write: as it asks again.

    What skips does so every second, and needs no reason.
    """
    second = race.alone[1]
    if race.late or second.deed.skips or race.after != race.between or not second.touched:
        return []
    again = await alone(stage._replace(before=race.after), second.deed)
    return [f"{second.deed.name} wrote nothing, and when it asks again it does"] if again.touched else []
