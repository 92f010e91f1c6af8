"""Bugs that show only where PostgreSQL has a synchronous standby: what was answered is gone when it is promoted."""

from tests.planted.bug import Bug

_COMMON, _API = "libs/common/tests/integration", "services/api/tests/integration"

WITH_A_STANDBY = (
    Bug(
        "17_answer_without_the_standby",
        "An order that no standby has is told as stored, or as cancelled, because it is repeated: promoted, nobody knows it.",
        (
            f"{_API}/test_standby_away.py::test_a_repetition_is_not_told_as_stored_when_the_standby_has_not_the_order",
            f"{_API}/test_standby_away.py::test_an_order_is_not_told_as_cancelled_when_the_standby_does_not_know",
            f"{_COMMON}/test_standby_away.py::test_an_answer_that_writes_nothing_waits_when_it_shows_what_only_this_server_has",
        ),
    ),
    Bug(
        "18_given_up_statement_is_cancelled",
        "A commit that waits for the standby is shown at once, to all, because its client got impatient.",
        (
            f"{_COMMON}/test_connect.py::test_no_cancel_is_sent_when_a_statement_is_given_up",
            f"{_COMMON}/test_standby_away.py::test_a_write_stays_unseen_and_uncancelled_when_it_is_given_up",
        ),
    ),
    Bug(
        "19_commit_waits_for_nobody",
        "Where the server commits without its standby, bytes are sent that the promoted one knows nothing of.",
        (
            f"{_COMMON}/test_connect.py::test_a_commit_waits_for_the_standby_when_the_server_would_not[off-on]",
            f"{_COMMON}/test_connect.py::test_a_commit_waits_for_the_standby_when_the_server_would_not[local-on]",
        ),
    ),
)
