"""Times as clients see them."""

from datetime import UTC, datetime
from typing import Annotated

from msgspec import Meta

from swaprail.domain.errors import EngineError, ErrorCode

_FOR_EVER = datetime.max.replace(tzinfo=UTC)  # the driver stores it as infinity, which no worker can reckon with
Time = Annotated[datetime, Meta(tz=True)]  # RFC 3339, in UTC


def in_utc(at: datetime, field: str) -> datetime:
    """Return the time in UTC; EngineError when its offset carries it beyond the years 1 to 9999."""
    try:
        moment = at.astimezone(UTC)
    except OverflowError:
        moment = _FOR_EVER
    if moment == _FOR_EVER:
        message = f"{field} is not within the years 1 to 9999 in UTC"
        raise EngineError(ErrorCode.VALIDATION_FAILED, message, field=field)
    return moment
