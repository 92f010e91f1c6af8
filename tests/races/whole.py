"""An order says one thing in all its columns, and of its attempts and keys."""

from collections import Counter
from collections.abc import Iterator

from swaprail.domain.lifecycle import TERMINAL, Status
from tests.races.stored import Row, Stored


def check_whole(stored: Stored) -> Iterator[str]:
    """Return what does not fit together."""
    for order_id, row in stored.orders.items():
        attempts = [attempt for attempt in stored.attempts if attempt["order_id"] == order_id]
        routed = any(e["status"] == "ROUTING" for e in stored.events if e["order_id"] == order_id)
        claims = {**_life(row, routed=routed), **_attempts(row, attempts)}
        yield from (f"{row['status']}, but not: {claim}" for claim, holds in claims.items() if not holds)
    strays = [key["key"] for key in stored.keys if key["order_id"] not in stored.orders]
    yield from (f"key {key} names no order" for key in strays)


def _life(row: Row, *, routed: bool) -> dict[str, bool]:
    closed, queued, leased = (row[name] is not None for name in ("closed_at", "queued_at", "lease_until"))
    return {
        "closed exactly when terminal": closed == (Status(row["status"]) in TERMINAL),
        "queued exactly when it was in ROUTING": queued == routed,
        "a lease has an owner": leased == (row["lease_owner"] is not None),
        "nobody holds what waits or is over": not leased or (queued and not closed),
        "what is open is leased or due": closed or not queued or leased or row["due_at"] is not None,
        "reconciling only while SUBMITTED": row["reconciling_since"] is None or row["status"] == "SUBMITTED",
    }


def _attempts(row: Row, attempts: list[Row]) -> dict[str, bool]:
    states = Counter(attempt["state"] for attempt in attempts)
    arrived = [attempt["output_amount"] for attempt in attempts if attempt["state"] == "LANDED"]
    return {
        "a live attempt exactly while SUBMITTED": states["LIVE"] == (row["status"] == "SUBMITTED"),
        "landed exactly when CONFIRMED": states["LANDED"] == (row["status"] == "CONFIRMED"),
        "one attempt without evidence": sum(attempt["evidence"] is None for attempt in attempts) <= 1,
        "evidence exactly of what expired": all(
            (a["state"] == "EXPIRED") == (a["evidence"] is not None) for a in attempts
        ),
        "what arrived is what landed": row["output_amount"] == (arrived[0] if arrived else None),
        "settled at a time": all((a["state"] == "LIVE") == (a["settled_at"] is None) for a in attempts),
    }
