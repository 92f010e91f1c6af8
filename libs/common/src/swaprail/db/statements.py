"""Statements by name: each is timed under it, and PostgreSQL's own views (pg_stat_activity, its log) show it as well."""

from typing import Any

from swaprail.telemetry import metrics

_timers: dict[str, Any] = {}
_unnamed = metrics.STATEMENT_SECONDS.labels("unnamed")


def named(operation: str, sql: str) -> str:
    """Return the statement marked with its name; to be called once, where the statement is defined."""
    statement = f"/* {operation} */ {sql}"
    _timers[statement] = metrics.STATEMENT_SECONDS.labels(operation)
    return statement


def timer_of(statement: str) -> Any:
    """Return the histogram of a statement's time."""
    return _timers.get(statement, _unnamed)
