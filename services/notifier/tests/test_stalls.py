"""Nothing that was committed late is before the time from which closed orders are told again."""

from hypothesis import given
from hypothesis import strategies as st

from swaprail_notifier.stalls import AFTER_OVERLAP_MS, Stalls, Writing

BEGAN_MS = 1_000_000
LOOKS = st.lists(st.integers(1, 20_000), min_size=1, max_size=30)
# When they began, and how long they took.
TRANSACTIONS = st.lists(
    st.tuples(st.integers(0, 100_000), st.integers(AFTER_OVERLAP_MS, 60_000)), min_size=1, max_size=9
)


@given(LOOKS, TRANSACTIONS, st.floats(0, 1))
def test_whatever_became_visible_later_is_asked_for_when_commits_stalled_and_looks_were_rare(
    pauses: list[int], transactions: list[tuple[int, int]], share: float
) -> None:
    stalls, now = Stalls(), BEGAN_MS
    spans = [(BEGAN_MS + begun, BEGAN_MS + begun + took) for begun, took in transactions]
    for pause in [0, *pauses]:
        now += pause
        stalls.note(Writing(now, min((begun for begun, ended in spans if begun <= now < ended), default=None)))
    # The last that a follower saw, while the first of them was not yet visible.
    after_ms = spans[0][0] + int(share * (transactions[0][1] - 1))
    late = [begun for begun, ended in spans if begun <= after_ms < ended]
    assert all(begun >= stalls.earliest_ms(after_ms) for begun in late)


@given(LOOKS, st.integers(0, 200_000))
def test_no_more_than_the_overlap_is_asked_for_when_commits_were_quick(pauses: list[int], after: int) -> None:
    stalls, now = Stalls(), BEGAN_MS
    for pause in [0, *pauses]:
        now += min(pause, 1_000)
        stalls.note(Writing(now, now - 100))
    # Nobody asks for what is to come.
    after_ms = min(BEGAN_MS + after, now)
    assert stalls.earliest_ms(after_ms) == after_ms - AFTER_OVERLAP_MS


def test_all_is_asked_for_when_all_is_wanted() -> None:
    assert Stalls().earliest_ms(0) == 0


def test_a_look_is_no_stall_when_it_comes_just_as_the_overlap_ends() -> None:
    stalls = Stalls()
    for now_ms in (BEGAN_MS, BEGAN_MS + AFTER_OVERLAP_MS):
        stalls.note(Writing(now_ms, None))
    assert stalls.earliest_ms(BEGAN_MS + AFTER_OVERLAP_MS + 1) == BEGAN_MS + 1


def test_each_stall_is_kept_once_when_it_goes_on() -> None:
    stalls = Stalls()
    for began_ms in (BEGAN_MS, BEGAN_MS + 100_000):
        for second in range(100):
            stalls.note(Writing(began_ms + second * 1_000, began_ms))
    assert [stall.since_ms for stall in stalls._stalls] == [BEGAN_MS, BEGAN_MS + 100_000]
