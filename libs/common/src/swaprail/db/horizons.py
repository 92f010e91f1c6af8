"""From where on a scan has to look: nothing that it looks for is older than its horizon.

What is closed stays in an index until it is vacuumed, and nothing is vacuumed while anybody holds an old snapshot (a backup, a
report, a standby that reads). A scan that began at the start of its index would walk over all of it, once a second.
docs/adr/0017 says why a horizon may be believed.
"""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from swaprail.db.connect import Database
from swaprail.db.statements import named

MARGIN_S = 60.0  # between the beginning of a transaction and its first write; every wait of ours is far shorter
REST_S = 20.0  # between two moves, whoever makes them: while a snapshot is held, each leaves a dead row that every scan reads


class Scan(StrEnum):
    """What is looked for again and again."""

    OPEN = "open"  # orders to execute
    LATE = "late"  # orders that wait, past their expiry
    OLD = "old"  # orders that wait without an expiry
    KEYS = "keys"  # idempotency keys past their retention


class _Place(NamedTuple):
    """Where it is looked for: what comes there later has a later time."""

    table: str
    time: str
    which: str


# When an open order was queued or given back, or until when it pauses; leases that are held for long are renewed with a new one.
OPEN_TIME = "coalesce(due_at, queued_at)"
# In a form that fits no other index: where nothing is open, all of them look equally cheap to the planner.
IS_OPEN = "(queued_at is not null and closed_at is null)::int = 1"
_WAITING = "queued_at is null and closed_at is null"
_PLACES = {
    Scan.OPEN: _Place("orders", OPEN_TIME, IS_OPEN),
    Scan.LATE: _Place("orders", "expires_at", f"{_WAITING} and expires_at is not null"),
    Scan.OLD: _Place("orders", "created_at", f"{_WAITING} and expires_at is null"),
    Scan.KEYS: _Place("idempotency_keys", "created_at", "true"),
}


def _found(scan: Scan) -> str:
    _, time, which = _PLACES[scan]
    # A clock that was set back: then what is written now may be older than the horizon, but not by much than now.
    horizon = f"select least(since, now() - interval '{MARGIN_S:g} s') from scan_horizons where name = '{scan}'"  # noqa: S608
    return f"{which} and {time} >= coalesce(({horizon}), '-infinity')"


# Conditions of the table orders, and of idempotency_keys.
OPEN_ORDERS, LATE_ORDERS, OLD_ORDERS, ALL_KEYS = (_found(scan) for scan in Scan)

# A horizon goes as far as the oldest that is there, but never into the time of transactions that may still commit: a mark is
# set, and used when all that had written by then have ended. No more than so many seconds are looked through at once.
# Where the clock was set back, or the data is another server's, all begins anew from before the oldest order.
_BEGINNING = "least((select created_at from orders order by id limit 1), now()) - interval '1 day'"
_ADVANCE = """
with known as (
    select since, seen_at, seen_xid,
        since > now() - make_interval(secs => $3) or seen_at > now()
            or seen_xid >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint as void,
        least(since + make_interval(secs => $2), seen_at - make_interval(secs => $3)) as until
    from scan_horizons where name = $1
),
looked as materialized (
    select k.*, coalesce(
        (select min({time}) from {table} where {which} and {time} >= k.since and {time} < k.until), k.until
    ) as found
    from known k where not void and pg_snapshot_xmin(pg_current_snapshot())::text::bigint > seen_xid
        and (seen_at <= now() - make_interval(secs => $4) or until < seen_at - make_interval(secs => $3))
),
begun as (
    select {beginning} as found where not exists (select from known where not void)
),
moved as (
    select found, found = until as free, until < seen_at - make_interval(secs => $3) as keeps_mark, seen_at, seen_xid
    from looked
    union all select found, true, false, null, null from begun
)
insert into scan_horizons as h (name, since, seen_at, seen_xid)
select $1, found, case when keeps_mark then seen_at else now() end,
    case when keeps_mark then seen_xid else pg_current_xact_id()::text::bigint end
from moved
on conflict (name) do update set since = excluded.since, seen_at = excluded.seen_at, seen_xid = excluded.seen_xid
where h.since = (select since from known)
returning since, (select free and keeps_mark from moved) as more
"""
# Clocks jump, and nobody foresees everything: what is below a horizon is looked for as well, piece by piece.
_LOOK_BELOW = """
with known as (select since from scan_horizons where name = $1),
piece as (
    select since, coalesce($2::timestamptz, '-infinity') as first,
        coalesce($2::timestamptz, {beginning}) + make_interval(secs => $3) as last from known
),
looked as materialized (
    select p.since, p.last,
        (select min({time}) from {table} where {which} and {time} >= p.first and {time} < least(p.last, p.since)) as found
    from piece p
),
moved as (
    update scan_horizons h set since = l.found from looked l where h.name = $1 and h.since = l.since and l.found < l.since
    returning 1
)
select case when last < since and found is null then last end as next, (select count(*) from moved) as moved from looked
"""


def _for_each(name: str, sql: str) -> dict[Scan, str]:
    return {scan: named(name, sql.format(beginning=_BEGINNING, **_PLACES[scan]._asdict())) for scan in Scan}


_ADVANCES, _LOOKS_BELOW = _for_each("horizon", _ADVANCE), _for_each("horizon_below", _LOOK_BELOW)


async def advance(
    database: Database, scan: Scan, span_s: float, margin_s: float = MARGIN_S, rest_s: float = REST_S
) -> bool:
    """Move the horizon of a scan by at most so many seconds; tell whether there is more to be looked through at once."""
    rows = await database.fetch(_ADVANCES[scan], scan, span_s, margin_s, rest_s)
    return any(row["more"] for row in rows)


class Below(NamedTuple):
    """What a look below a horizon has come to."""

    following: datetime | None  # where to look on; None at the end
    was_there: bool  # the horizon has been moved back to what was there


async def look_below(database: Database, scan: Scan, first: datetime | None, span_s: float) -> Below:
    """Look through so many seconds below the horizon of a scan, from a time on or from the beginning."""
    rows = await database.fetch(_LOOKS_BELOW[scan], scan, first, span_s)
    return Below(rows[0]["next"], bool(rows[0]["moved"])) if rows else Below(None, was_there=False)
