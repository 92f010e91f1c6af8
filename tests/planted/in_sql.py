"""Bugs in the statements, which two sessions of PostgreSQL must find (tests/races)."""

from tests.planted.bug import Bug

_CALLERS, _KEYS = "tests/races/test_callers.py", "tests/races/test_keys.py"


def _pair(case: str) -> str:
    return f"tests/races/test_pairs.py::test_the_rules_hold_when_two_meet[{case}]"


IN_SQL = (
    Bug(
        "20_start_unlocked",
        "Two replicas start one order: it is routed twice.",
        (
            f"{_CALLERS}::test_one_starts_the_order_when_two_replicas_are_asked_at_once[at_the_row]",
            _pair("waiting-start"),
        ),
    ),
    Bug(
        "21_cancel_unlocked",
        "An order that has just been submitted is called CANCELLED, and lands.",
        (
            f"{_CALLERS}::test_the_cancel_is_refused_when_the_order_is_submitted_at_that_moment",
            _pair("building-submit"),
        ),
    ),
    Bug("22_expiry_unlocked", "An order that its owner took back expires as well.", (_pair("overdue-cancel"),)),
    Bug(
        "23_scan_unlocked",
        "Two workers lease one order, and one that is over is leased for ever.",
        (_pair("building_lapsed-scan_as_executor"), _pair("submitted_lapsed-land")),
    ),
    Bug(
        "24_scan_waits",
        "Every reconciler stands still behind whoever writes to one order.",
        (_pair("routing_lapsed-scan_as_router"),),
    ),
    Bug(
        "25_drop_status_check",
        "A message that comes twice submits an order that is being routed again.",
        (_pair("building-route_again"), _pair("submitted-give_up")),
    ),
    Bug("26_key_conflict_fails", "A request that is repeated at once is answered 500.", (_pair("nothing-place"),)),
    Bug(
        "27_never_closed", "What is over is kept among what is open.", (_pair("submitted-land"), _pair("routing-fail"))
    ),
    Bug("28_cancelled_and_leased", "A cancelled order is held by a worker.", (_pair("building-cancel"),)),
    Bug("29_attempt_uncounted", "An order is tried without end.", (_pair("building-submit"),)),
    Bug("30_hand_over_keeps_fence", "Router and executor hold one order with one fence.", (_pair("routing-route"),)),
    Bug("31_step_not_numbered", "No order moves: its step has the number of the last one.", (_pair("routing-route"),)),
    Bug(
        "32_scan_by_due_time",
        "An order that was once due is taken from whoever holds it, time and again.",
        (_pair("building_again-scan_as_executor"),),
    ),
    Bug(
        "33_purge_young_keys",
        "A request that is repeated after a minute makes a second order.",
        (f"{_KEYS}::test_old_keys_are_forgotten_and_younger_ones_kept_when_keys_are_purged",),
    ),
    Bug(
        "34_release_by_anybody",
        "A worker that stops gives back what another holds.",
        (_pair("building_lapsed-scan_as_executor"),),
    ),
    Bug(
        "35_renew_what_was_released",
        "A drained worker holds what it handed over, and nobody goes on with it.",
        (_pair("building-release"),),
    ),
    Bug(
        "36_keys_in_any_order",
        "Two batches with the same keys wait for each other until one is killed.",
        (f"{_KEYS}::test_keys_are_taken_in_their_order_when_they_come_in_another[start]",),
    ),
    Bug("37_cancel_keeps_fence", "Whoever works on a cancelled order may write on.", (_pair("building-cancel"),)),
    Bug("38_reconciling_settles", "An attempt that may land is stored as settled.", (_pair("submitted-reconcile"),)),
)
