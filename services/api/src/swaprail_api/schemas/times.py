"""Times as clients see them."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta

Time = Annotated[datetime, Meta(tz=True)]  # RFC 3339, in UTC
