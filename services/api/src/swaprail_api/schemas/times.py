"""Times as clients see them."""

from datetime import UTC, datetime
from typing import Annotated

from msgspec import Meta

from swaprail.domain.errors import EngineError, ErrorCode

Time = Annotated[datetime, Meta(tz=True)]  # RFC 3339, in UTC


def in_utc(at: datetime, field: str) -> datetime:
    """Return the time in UTC; EngineError when its offset carries it beyond the years 1 to 9999."""
    try:
        return at.astimezone(UTC)
    except OverflowError:
        message = f"{field} is not within the years 1 to 9999 in UTC"
        raise EngineError(ErrorCode.VALIDATION_FAILED, message, field=field) from None
