"""Bugs between Redis and a worker: an entry lost, acknowledged too early, or believed."""

from tests.planted.bug import Bug

_EXECUTOR = "services/executor/tests/integration"
_COMMON = "libs/common/tests/integration"

IN_MESSAGES = (
    Bug(
        "07_group_from_the_end",
        "What was published before the first consumer came, or right after a FLUSHALL, is never read.",
        (f"{_COMMON}/test_streams.py::test_messages_published_before_the_first_consumer_are_read_when_it_starts",),
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
        "50_message_believed",
        "Whoever writes to Redis has another wallet's amount executed as somebody's order.",
        (
            f"{_COMMON}/test_transitions.py::test_nothing_is_written_or_told_when_the_worker_acts_on_another_order_than_the_row",
            f"{_EXECUTOR}/test_execute_order.py::test_nothing_is_sent_when_the_order_is_not_the_row",
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
        "64_dead_letter_that_failed_is_dropped",
        "Redis stumbles while an entry is set aside, and it is acknowledged all the same.",
        (f"{_COMMON}/test_dead_letters.py::test_an_entry_is_set_aside_by_the_same_reader_when_redis_is_back",),
    ),
)
