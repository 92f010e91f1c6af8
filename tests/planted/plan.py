"""Which bugs there are, what each would cost a trader, and the tests that must catch it."""

from pathlib import Path
from typing import NamedTuple

BUGS = Path(__file__).parent / "bugs"


class Bug(NamedTuple):
    """A patch beside this file, and the tests that pass without it and must all fail with it."""

    name: str
    harm: str
    caught_by: tuple[str, ...]
    simulated: str = ""  # the invariant that the simulation finds broken as well

    @property
    def patch(self) -> Path:
        return BUGS / f"{self.name}.patch"


_EXECUTOR = "services/executor/tests/integration"
_COMMON = "libs/common/tests/integration"
_API = "services/api/tests/integration"
_NOTIFIER = "services/notifier/tests"

PLAN = (
    Bug(
        "01_send_before_commit",
        "After a crash nobody knows what was sent: it is signed anew, and executes twice.",
        (
            f"{_EXECUTOR}/test_execute_order.py::test_an_order_is_confirmed_with_what_arrived_when_its_attempt_lands",
            f"{_EXECUTOR}/test_execute_order.py::test_nothing_is_sent_when_another_worker_took_the_order_over",
        ),
        simulated="I4",
    ),
    Bug(
        "02_drop_fence_check",
        "A worker that slept through its lease writes over the one that took over.",
        (f"{_COMMON}/test_transitions.py::test_a_stale_worker_writes_nothing_when_another_holds_the_fence",),
    ),
    Bug(
        "03_drop_unique_index",
        "The database no longer refuses a second live transaction of an order.",
        (
            f"{_EXECUTOR}/test_settle_attempt.py::test_the_database_refuses_when_a_second_attempt_is_stored_beside_a_live_one",
            f"{_COMMON}/test_migrations.py::test_the_tables_are_what_the_migrations_make_when_both_are_compared",
        ),
    ),
    Bug(
        "04_answer_before_commit",
        "The client is told that its order is safe before it is stored: it is lost when the database fails.",
        (f"{_API}/test_faults.py::test_503_soon_when_the_database_is_stuck",),
        simulated="I1",
    ),
    Bug(
        "05_trust_not_found",
        "A node that is behind does not show the transaction: the next one is signed while the first still lands.",
        (
            "services/executor/tests/test_nodes.py::test_expiry_is_not_proven_when_a_node_is_not_final_past_the_last_height",
            "services/executor/tests/test_nodes.py::test_expiry_is_not_proven_when_a_node_searched_an_older_state_than_its_finality",
        ),
        simulated="I2",
    ),
    Bug(
        "06_publish_before_commit",
        "Workers are handed, and the engine's log and topics tell of, a step that never happened.",
        (
            f"{_COMMON}/test_transitions.py::test_nobody_is_told_when_the_commit_fails",
            f"{_COMMON}/test_transitions.py::test_a_stale_worker_writes_nothing_when_another_holds_the_fence",
        ),
    ),
    Bug(
        "07_group_from_the_end",
        "What was published before the first consumer came, or right after a FLUSHALL, is never read.",
        (f"{_COMMON}/test_streams.py::test_messages_published_before_the_first_consumer_are_read_when_it_starts",),
    ),
    Bug(
        "08_no_gap_filling",
        "A subscriber is told of a step only when the comparison comes by.",
        (
            f"{_NOTIFIER}/test_hub.py::test_hub_asks_for_the_table_when_an_event_names_a_followed_order",
            f"{_NOTIFIER}/test_forged_events.py::test_followers_are_told_what_the_table_has_when_an_event_says_otherwise",
        ),
    ),
    Bug(
        "09_key_of_another_request",
        "Another order under the same key is answered as if it had been placed.",
        (f"{_API}/test_idempotency.py::test_422_when_a_key_comes_with_another_request",),
        simulated="I8",
    ),
    Bug(
        "10_expiry_by_processed_height",
        "A block that may be rolled back counts: on the fork that stays, the given-up transaction lands.",
        (
            "libs/venues/tests/test_paper_chain.py::test_expiry_is_proven_only_when_finalized_height_is_past_the_last_valid_one",
            "libs/venues/tests/test_paper_chain.py::test_landing_is_final_when_32_blocks_have_followed",
        ),
    ),
    Bug(
        "11_sign_unread_bytes",
        "Whatever a venue builds is signed: another amount, another wallet.",
        (f"{_EXECUTOR}/test_build_order.py::test_nothing_is_signed_when_the_built_swap_is_not_the_ordered_one",),
    ),
    Bug(
        "12_log_the_key",
        "Whoever reads the logs can trade.",
        ("tests/security/test_canary.py::test_no_secret_leaves_the_engine_whatever_goes_wrong",),
    ),
    Bug(
        "13_event_believed",
        "Whoever writes to Redis tells sockets of steps that never were, and hides the true ones.",
        (
            f"{_NOTIFIER}/test_forged_events.py::test_followers_are_told_what_the_table_has_when_an_event_says_otherwise",
            f"{_NOTIFIER}/test_hub.py::test_every_order_follower_sees_each_step_once_in_order_when_events_are_late_lost_repeated_or_forged",
        ),
        simulated="I7",
    ),
    Bug(
        "14_event_names_the_wallet",
        "Whoever writes to Redis lets one account follow another's orders.",
        (
            f"{_NOTIFIER}/test_forged_events.py::test_another_accounts_order_is_not_told_when_an_event_gives_it_to_a_followed_wallet",
            f"{_NOTIFIER}/test_hub.py::test_order_has_the_tables_account_when_an_event_gives_another",
        ),
    ),
    Bug(
        "50_message_believed",
        "Whoever writes to Redis has another wallet's amount executed as somebody's order.",
        (
            f"{_COMMON}/test_transitions.py::test_nothing_is_written_or_told_when_the_worker_acts_on_another_order_than_the_row",
            f"{_EXECUTOR}/test_execute_order.py::test_nothing_is_sent_when_the_order_is_not_the_row",
        ),
    ),
    Bug(
        "51_closed_order_written",
        "An order that has ended ends again, at another time.",
        (f"{_COMMON}/test_transitions.py::test_a_closed_order_is_left_alone_when_its_fence_and_status_are_right",),
    ),
    Bug(
        "52_submitted_after_expiry",
        "An order is submitted after its time, by an executor whose clock is behind.",
        (f"{_EXECUTOR}/test_expiry.py::test_the_order_expires_unsent_when_the_executors_clock_is_behind",),
    ),
    Bug(
        "53_sent_after_expiry",
        "What was signed in time reaches the chain again and again after the order's time.",
        (
            f"{_EXECUTOR}/test_expiry.py::test_the_bytes_are_not_sent_again_when_the_time_is_over",
            f"{_EXECUTOR}/test_expiry.py::test_a_resumed_order_is_not_sent_again_when_its_time_is_over",
        ),
    ),
    Bug(
        "54_message_ends_work",
        "Whoever writes to Redis stops the work on any order, again and again.",
        (f"{_COMMON}/test_intake.py::test_work_goes_on_when_a_message_says_that_another_has_the_next_fence",),
    ),
    Bug(
        "55_version_unread",
        "A message of another release is taken for one of this.",
        (f"{_COMMON}/test_streams.py::test_an_entry_is_set_aside_as_unknown_when_it_is_of_another_version",),
    ),
)
