"""Ends that are given as a time from now, by the clock of the engine, which judges them."""

from datetime import UTC, datetime, timedelta

from swaprail_client.cli.outcomes import UsageError
from swaprail_client.cli.output import note
from swaprail_client.client import SwaprailClient

NOTED = timedelta(seconds=2)


def refuse_two_ends(expires_in: timedelta | None, expires_at: datetime | None) -> None:
    """Raise UsageError when an end was given twice."""
    if expires_in is not None and expires_at is not None:
        message = "give --expires-in or --expires-at, not both"
        raise UsageError(message)


async def end_of(client: SwaprailClient, expires_in: timedelta) -> datetime:
    """Return when so much time has passed for the engine; tell of a clock here that is wrong."""
    ahead = await client.clock_offset()
    if abs(ahead) > NOTED:
        seconds, where = abs(round(ahead.total_seconds())), "behind" if ahead > timedelta() else "ahead of"
        note(f"swaprail: this machine's clock is {seconds} s {where} the engine's, by which --expires-in is reckoned.")
    try:
        return datetime.now(UTC) + ahead + expires_in
    except OverflowError:
        message = "--expires-in is longer than the calendar"
        raise UsageError(message) from None
