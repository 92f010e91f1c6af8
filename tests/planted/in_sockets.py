"""Bugs in what followers are told: steps that never were, steps never told, steps of another account."""

from tests.planted.bug import Bug

_NOTIFIER = "services/notifier/tests"
_KEYS = "libs/common/tests/auth/test_keys.py"

IN_SOCKETS = (
    Bug(
        "08_no_gap_filling",
        "A subscriber is told of a step only when the comparison comes by.",
        (
            f"{_NOTIFIER}/test_hub.py::test_hub_asks_for_the_table_when_an_event_names_a_followed_order",
            f"{_NOTIFIER}/test_forged_events.py::test_followers_are_told_what_the_table_has_when_an_event_says_otherwise",
        ),
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
)
