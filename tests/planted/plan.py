"""Which bugs there are, what each would cost a trader, and the tests that must catch it."""

from tests.planted.bug import BUGS, Bug
from tests.planted.in_sql import IN_SQL

__all__ = ["BUGS", "PLAN", "Bug"]

_EXECUTOR = "services/executor/tests/integration"
_COMMON = "libs/common/tests/integration"
_API = "services/api/tests/integration"
_NOTIFIER = "services/notifier/tests"
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
    *IN_SQL,
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
    Bug(
        "40_acknowledge_before_set_aside",
        "A reader that dies takes what it could not read with it: nobody learns which orders wait for a scan, and why.",
        (
            f"{_COMMON}/test_dead_letters.py::test_an_entry_is_set_aside_by_another_when_its_reader_died_before_it_could",
            f"{_COMMON}/test_dead_letters.py::test_an_entry_is_set_aside_again_when_its_reader_died_before_it_acknowledged",
        ),
    ),
    Bug(
        "41_claim_acknowledges_first",
        "The same where the entries of a dead reader are claimed.",
        (
            f"{_COMMON}/test_dead_letters.py::test_a_claimed_entry_is_claimed_again_when_its_claimer_died_before_it_was_done",
        ),
    ),
    Bug(
        "42_route_decoded_before_expiry",
        "An order whose route another version wrote neither executes nor expires: it is left to its lease for ever.",
        (
            f"{_EXECUTOR}/test_build_order.py::test_the_order_is_routed_again_when_its_stored_route_cannot_be_read",
            f"{_EXECUTOR}/test_build_order.py::test_the_order_ends_when_its_stored_route_cannot_be_read_and_its_time_is_over",
        ),
    ),
    Bug(
        "43_lone_quote_is_believed",
        "With one venue away the other's absurd quote is taken: 9,800 USDC of SOL for 9.75.",
        (
            f"{_ROUTER}/test_choose_route.py::test_a_lone_quote_is_absurd_when_it_is_far_from_the_last_good_price",
            f"{_ROUTER}/test_choose_route.py::test_a_lone_quote_is_unconfirmed_when_nothing_bounds_it",
            f"{_ROUTER}/integration/test_route_order.py::test_a_lone_absurd_quote_is_not_taken_when_two_venues_agreed_before",
        ),
    ),
    Bug(
        "44_lone_price_vouches_for_the_next",
        "What one venue alone said, for an order with a minimum, bounds the orders without one: it vouches for itself.",
        (f"{_ROUTER}/test_choose_route.py::test_a_price_is_agreed_on_only_when_two_sound_quotes_are_near_each_other",),
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
        "47_used_ticket_is_forgotten_early",
        "Whoever finds a ticket in a log of URLs opens a second socket with it, and reads the trader's orders.",
        (
            f"{_NOTIFIER}/test_ticket_windows.py::test_a_used_ticket_is_remembered_for_as_long_as_it_lives_when_the_api_s_clock_is_ahead",
        ),
    ),
    Bug(
        "48_ticket_outlives_its_seconds",
        "A ticket that was never used is good for longer than the client was told.",
        (
            f"{_KEYS}::test_ticket_ends_to_the_second_and_never_later_than_thirty_of_them",
            f"{_NOTIFIER}/test_ticket_windows.py::test_a_ticket_opens_a_socket_until_its_thirty_seconds_are_over",
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
    Bug(
        "63_price_of_the_other_direction",
        "SOL for USDC is held against USDC for SOL: with a venue away the honest quote is absurd, and a mad one may be taken.",
        (f"{_ROUTER}/test_reference_prices.py::test_a_price_is_of_one_direction_alone",),
    ),
    Bug(
        "64_dead_letter_that_failed_is_dropped",
        "Redis stumbles while an entry is set aside, and it is acknowledged all the same.",
        (f"{_COMMON}/test_dead_letters.py::test_an_entry_is_set_aside_by_the_same_reader_when_redis_is_back",),
    ),
    Bug(
        "65_route_of_a_time_to_come",
        "A clock is set back by an hour, and for that hour swaps are signed at the prices of before.",
        (f"{_EXECUTOR}/test_build_order.py::test_a_stale_route_is_not_signed_when_the_order_waited_too_long",),
    ),
    Bug(
        "15_lost_commits_unnoticed",
        "After a failover that lost commits a socket goes on from steps that the order never took.",
        (
            f"{_NOTIFIER}/test_forged_events.py::test_followers_are_sent_back_and_told_the_table_when_a_failover_has_lost_a_step",
            f"{_NOTIFIER}/test_forged_events.py::test_followers_are_sent_back_when_a_failover_has_lost_a_step_and_another_took_its_place",
        ),
    ),
    Bug(
        "16_fixed_overlap",
        "A wallet's follower that was cut during a stall never hears how the orders ended that it closed.",
        (
            f"{_NOTIFIER}/test_wallets.py::test_an_order_closed_by_a_commit_that_stalled_is_told_when_resuming_after_later_steps",
            f"{_NOTIFIER}/test_stalls.py::test_whatever_became_visible_later_is_asked_for_when_commits_stalled_and_looks_were_rare",
        ),
    ),
)

# In the order of their numbers, wherever they stand.
PLAN = tuple(sorted(_BUGS))
