"""What is mutated, and the tests that must notice: a module's own first, wider ones only for what survives those."""

from typing import NamedTuple

_DB, _EXECUTOR, _STORE, _NOTIFIER = (
    "libs/common/src/swaprail/db",
    "services/executor/src/swaprail_executor",
    "services/api/src/swaprail_api/store",
    "services/notifier/src/swaprail_notifier",
)
_OF_DB, _OF_EXECUTOR, _OF_API, _OF_NOTIFIER = (
    "libs/common/tests/integration",
    "services/executor/tests",
    "services/api/tests/integration",
    "services/notifier/tests",
)
_BELIEVED = (
    "tests/simulation/test_store_matches_postgres.py"
    "::test_rows_and_tables_are_the_same_when_postgresql_and_the_virtual_store_run_the_same_statements"
)
_AT_ONCE = (
    "tests/simulation/test_store_matches_postgres_at_once.py"
    "::test_rows_and_tables_are_those_of_one_order_when_two_statements_meet"
)


class Stage(NamedTuple):
    """A run of tests: arguments of pytest, or of the simulation, and how long it, and each test of it, may take at most."""

    name: str
    arguments: tuple[str, ...]
    simulated: bool = False
    longest_s: int = 600
    longest_test_s: int = 60


class Module(NamedTuple):
    """A file of the core and the stages that its mutants must not all pass."""

    path: str
    stages: tuple[Stage, ...]

    @property
    def tests(self) -> list[str]:
        """Files of tests that may run for it."""
        named = [a for stage in self.stages if not stage.simulated for a in stage.arguments]
        return [name for name in named if name.endswith(".py") and not name.startswith("-")]


def _own(folder: str, *tests: str) -> Stage:
    return Stage("its own tests", tuple(f"{folder}/{test}.py" for test in tests), longest_s=240, longest_test_s=20)


def _races(*deeds: str, callers: bool = False) -> Stage:
    """Two sessions of PostgreSQL on one order: the pairs that begin with a deed, and those who call the statements."""
    names = [f"-{deed}]" for deed in deeds] + ["test_callers", "test_keys"] * callers
    return Stage("races", ("tests/races", f"-k{' or '.join(names)}"))


def _wider(*tests: str) -> Stage:
    return Stage("wider tests", tests)


def _all_of(home: str, name: str, folder: str, tests: tuple[str, ...], *more: Stage) -> Module:
    """Its own tests, the others of the folder, and more."""
    own = _own(folder, *tests)
    others = _wider(folder, *(f"--ignore={test}" for test in own.arguments))
    return Module(f"{home}/{name}.py", (own, others, *more))


_SIMULATED = Stage("simulation", ("--seeds", "60", "--workers", "1"), simulated=True)
_WITH_LIES = Stage("simulation", ("--each-lie", "--seeds", "12", "--workers", "1"), simulated=True)
_MOVES = ("route", "retry", "fail", "expire", "route_again")
_SETTLES = ("land", "revert", "give_up", "reconcile")

GROUPS: dict[str, tuple[Module, ...]] = {
    "statements": (
        Module(
            f"{_DB}/transitions.py",
            (
                _own(_OF_DB, "test_transitions", "test_terms"),
                _races(*_MOVES, "submit", *_SETTLES),
                _wider(
                    _BELIEVED, "services/router/tests/integration/test_route_order.py", f"{_OF_EXECUTOR}/integration"
                ),
            ),
        ),
        Module(f"{_DB}/terms.py", (_own(_OF_DB, "test_terms", "test_transitions"), _wider(_BELIEVED))),
        Module(
            f"{_DB}/leases.py",
            (
                _own(_OF_DB, "test_leases"),
                _races("scan_as_router", "scan_as_executor", "renew", "release"),
                _wider(_BELIEVED, _AT_ONCE, f"{_OF_DB}/test_intake.py", f"{_OF_DB}/test_transitions.py"),
            ),
        ),
        Module(
            f"{_EXECUTOR}/attempts.py",
            (
                _own(
                    f"{_OF_EXECUTOR}/integration",
                    "test_settle_attempt",
                    "test_execute_order",
                    "test_resume_order",
                    "test_expiry",
                ),
                _races("submit", *_SETTLES),
                _wider(_BELIEVED, _AT_ONCE),
            ),
        ),
        Module(
            f"{_STORE}/starts.py",
            (
                _own(_OF_API, "test_starting", "test_lock_order", "test_idempotency", "test_batches", "test_placing"),
                _races("start", "start_with_key", "start_with_old_key", callers=True),
                _wider(_BELIEVED),
            ),
        ),
        Module(
            f"{_STORE}/cancels.py",
            (
                _own(_OF_API, "test_cancelling", "test_lock_order", "test_batches"),
                _races("cancel", callers=True),
                _wider(_BELIEVED),
            ),
        ),
        Module(
            f"{_STORE}/intake.py",
            (
                _own(_OF_API, "test_placing", "test_idempotency", "test_lock_order", "test_batches"),
                _races("place", "place_another", callers=True),
                _wider(_BELIEVED),
            ),
        ),
    ),
    "executor": tuple(
        _all_of(_EXECUTOR, name, _OF_EXECUTOR, tests, _SIMULATED, _WITH_LIES)
        for name, tests in {
            "nodes": ("test_nodes",),
            "heights": ("test_heights",),
            "judge_landing": ("test_judge_landing",),
            "await_landing": tuple(
                f"integration/test_{name}" for name in ("execute_order", "resume_order", "settle_attempt", "expiry")
            ),
            "settle_attempt": tuple(f"integration/test_{name}" for name in ("settle_attempt", "execute_order")),
            "submit_attempt": tuple(f"integration/test_{name}" for name in ("build_order", "execute_order", "expiry")),
            "execute_order": tuple(
                f"integration/test_{name}" for name in ("execute_order", "build_order", "resume_order", "expiry")
            ),
            "check_swap": ("test_check_swap", "integration/test_build_order"),
        }.items()
    ),
    "notifier": tuple(
        _all_of(_NOTIFIER, name, _OF_NOTIFIER, tests, _SIMULATED)
        for name, tests in {
            "hub": ("test_hub_keeps", "test_hub", "test_forged_events"),
            "comparison": ("test_comparison", "test_forged_events", "test_orders", "test_wallets"),
            "order_log": ("test_order_log", "test_hub", "test_orders"),
            "subscriptions": ("test_subscriptions", "test_orders", "test_wallets"),
            "wallet_log": ("test_wallet_log", "test_hub", "test_wallets"),
            "stalls": ("test_stalls",),
            "history": ("test_history", "test_orders", "test_wallets", "test_forged_events"),
            "turn_end": ("test_turn_end", "test_outlet"),
            "turns": ("test_turns", "test_wallets"),
        }.items()
    ),
}


def module_of(path: str) -> Module:
    """Return the module of the path."""
    return next(module for modules in GROUPS.values() for module in modules if module.path == path)
