"""Horizons of the scans."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from swaprail.db.horizons import Scan
from tests.simulation.statements.registry import seconds, statement
from tests.simulation.tables import Row, Tables


@statement("horizon")
def horizon(t: Tables, now: datetime, scan: Scan, span_s: float, margin_s: float, rest_s: float) -> list[Row]:
    """Move a horizon on."""
    margin = seconds(t.margin_s)
    known = t.horizons.get(scan)
    if known is None or known["since"] > now - margin or known["seen_at"] > now:
        t.horizons[scan] = {"since": _beginning(t, now), "seen_at": now}
        return [{"since": t.horizons[scan]["since"], "more": False}]
    until = min(known["since"] + seconds(span_s), known["seen_at"] - margin)
    keeps_mark = until < known["seen_at"] - margin
    if not t.is_quiet or (known["seen_at"] > now - seconds(rest_s) and not keeps_mark):
        return []
    found = min((time for time in _times(t, scan) if known["since"] <= time < until), default=until)
    known |= {"since": found, "seen_at": known["seen_at"] if keeps_mark else now}
    return [{"since": found, "more": keeps_mark and found == until}]


@statement("horizon_below")
def horizon_below(t: Tables, now: datetime, scan: Scan, first: datetime | None, span_s: float) -> list[Row]:
    """Look below a horizon."""
    known = t.horizons.get(scan)
    if known is None:
        return []
    last, since = (first or _beginning(t, now)) + seconds(span_s), known["since"]
    found = min(
        (time for time in _times(t, scan) if (not first or first <= time) and time < min(last, since)), default=None
    )
    if found is not None:
        t.passed_by.append(f"{scan}: {found} is below {since}")
        known["since"] = found
    goes_on = last < since and found is None
    return [{"next": last if goes_on else None, "moved": int(found is not None)}]


def _beginning(t: Tables, now: datetime) -> datetime:
    oldest: list[datetime] = [order["created_at"] for _, order in sorted(t.orders.items())[:1]]
    return min([*oldest, now]) - timedelta(days=1)


def _times(t: Tables, scan: Scan) -> Iterable[datetime]:
    if scan is Scan.KEYS:
        return [known["created_at"] for known in t.keys.values()]
    live = [order for order in t.orders.values() if order["closed_at"] is None]
    if scan is Scan.OPEN:
        return [order["due_at"] or order["queued_at"] for order in live if order["queued_at"] is not None]
    waiting = [order for order in live if order["queued_at"] is None]
    if scan is Scan.LATE:
        return [order["expires_at"] for order in waiting if order["expires_at"] is not None]
    return [order["created_at"] for order in waiting if order["expires_at"] is None]
