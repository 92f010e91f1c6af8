"""Which bugs there are, what each would cost a trader, and the tests that must catch it."""

from tests.planted.bug import BUGS, Bug
from tests.planted.in_installations import IN_INSTALLATIONS
from tests.planted.in_messages import IN_MESSAGES
from tests.planted.in_prices import IN_PRICES
from tests.planted.in_sockets import IN_SOCKETS
from tests.planted.in_sql import IN_SQL
from tests.planted.with_a_standby import WITH_A_STANDBY

__all__ = ["BUGS", "PLAN", "Bug"]

_EXECUTOR = "services/executor/tests/integration"
_COMMON = "libs/common/tests/integration"
_API = "services/api/tests/integration"
_ROUTER = "services/router/tests"
_KEYS = "libs/common/tests/auth/test_keys.py"

_BUGS = (
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
    *IN_INSTALLATIONS,
    *IN_MESSAGES,
    *IN_PRICES,
    *IN_SOCKETS,
    *IN_SQL,
    *WITH_A_STANDBY,
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
        "45_lease_beyond_reach_is_believed",
        "The database's clock is set back by an hour, and for that hour nobody works on any open order.",
        (f"{_COMMON}/test_leases.py::test_an_order_is_free_when_it_is_held_for_longer_than_anything_may_be",),
    ),
    Bug(
        "46_stranded_only_when_lapsed",
        "The same hour, with no executor there: the alert says that nobody waits.",
        (
            f"{_ROUTER}/integration/test_measure_engine.py::test_orders_are_stranded_when_they_are_held_for_longer_than_anything_may_be",
        ),
    ),
    Bug(
        "49_revoked_key_lives_while_it_is_used",
        "A stolen key that was revoked trades on for as long as the thief keeps calling.",
        (
            f"{_KEYS}::test_a_key_works_for_less_than_ten_seconds_more_when_it_was_found_just_before_it_ended",
            f"{_API}/test_access.py::test_a_revoked_key_stops_within_ten_seconds_when_another_process_revoked_it",
        ),
    ),
    Bug(
        "60_idempotency_keys_are_forgotten_early",
        "The same request, repeated after an evening, is a second order.",
        (f"{_ROUTER}/integration/test_route_order.py::test_old_idempotency_keys_are_forgotten_when_housekeeping_runs",),
    ),
    Bug(
        "61_lands_after_its_last_height",
        "The judge lets land what was proven dead: a second execution looks like the chain's doing.",
        (
            "libs/venues/tests/test_paper_last_height.py::test_a_swap_never_lands_when_it_would_do_so_one_block_too_late",
        ),
    ),
    Bug(
        "62_pause_hides_the_lease",
        "An order that once waited is taken from whoever works on it, every second: work twice, and never done.",
        (f"{_COMMON}/test_leases.py::test_an_order_is_not_leased_when_it_is_held_waiting_or_closed",),
    ),
)

# In the order of their numbers, wherever they stand.
PLAN = tuple(sorted(_BUGS))
