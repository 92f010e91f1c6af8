"""Times as clients see them, and as they write them: in the one spelling that is published."""

import re
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from swaprail.domain.errors import EngineError, ErrorCode

_FOR_EVER = datetime.max.replace(tzinfo=UTC)  # the driver stores it as infinity, which no worker can reckon with
Time = Annotated[datetime, Meta(tz=True)]  # RFC 3339, in UTC
# msgspec reads more than date-time of RFC 3339: an offset without its colon, a space in place of the T.
_DATE_TIME = re.compile(
    r"[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})", re.IGNORECASE
)


def read_time(text: str, field: str) -> datetime:
    """Return the time written in a request, in UTC; EngineError naming the field when it is no date-time of RFC 3339."""
    message = f"{field} is no time of RFC 3339 with an offset, such as 2030-01-31T12:00:00Z"
    wrong = EngineError(ErrorCode.VALIDATION_FAILED, message, field=field)
    if not _DATE_TIME.fullmatch(text):
        raise wrong
    try:
        return _in_utc(msgspec.convert(text, Time), field)
    except msgspec.ValidationError:
        raise wrong from None


def _in_utc(at: datetime, field: str) -> datetime:
    """Return the time in UTC; EngineError when its offset carries it beyond the years 1 to 9999."""
    try:
        moment = at.astimezone(UTC)
    except OverflowError:
        moment = _FOR_EVER
    if moment == _FOR_EVER:
        message = f"{field} is not within the years 1 to 9999 in UTC"
        raise EngineError(ErrorCode.VALIDATION_FAILED, message, field=field)
    return moment
