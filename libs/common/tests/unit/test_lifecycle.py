import pytest
from hypothesis import given
from hypothesis import strategies as st

from swaprail.domain.lifecycle import (
    CANCELLABLE,
    TERMINAL,
    TRANSITIONS,
    IllegalTransitionError,
    Status,
    check_transition,
    is_legal_history,
)

statuses = st.sampled_from(list(Status))


def test_every_status_has_a_row_when_the_table_is_read() -> None:
    assert set(TRANSITIONS) == set(Status)


def test_terminal_statuses_are_the_four_ends_when_the_table_is_read() -> None:
    assert {Status.CONFIRMED, Status.FAILED, Status.CANCELLED, Status.EXPIRED} == TERMINAL


def test_an_order_is_not_cancellable_when_a_transaction_may_land() -> None:
    assert {Status.PENDING, Status.ROUTING, Status.BUILDING} == CANCELLABLE


def test_confirmed_is_reached_only_from_submitted_when_the_table_is_read() -> None:
    assert [s for s in Status if Status.CONFIRMED in TRANSITIONS[s]] == [Status.SUBMITTED]


@given(statuses, statuses)
def test_a_transition_is_refused_when_the_table_does_not_list_it(before: Status, after: Status) -> None:
    if after in TRANSITIONS[before]:
        check_transition(before, after)
        return
    with pytest.raises(IllegalTransitionError):
        check_transition(before, after)


@given(st.data())
def test_any_walk_is_legal_and_ends_for_good_when_it_follows_the_table(data: st.DataObject) -> None:
    history = [Status.PENDING]
    for _ in range(30):
        following = sorted(TRANSITIONS[history[-1]])
        if not following:
            break
        history.append(data.draw(st.sampled_from(following)))
    assert is_legal_history(history)
    if history[-1] in TERMINAL:
        assert not any(is_legal_history([*history, status]) for status in Status)


@given(st.lists(statuses, max_size=8))
def test_a_history_is_illegal_when_it_does_not_begin_pending(history: list[Status]) -> None:
    if not history or history[0] is not Status.PENDING:
        assert not is_legal_history(history)
