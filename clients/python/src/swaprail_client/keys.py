"""API keys, as the engine describes them."""

from datetime import datetime

import msgspec


class ApiKey(msgspec.Struct, frozen=True, rename="camel"):
    """A key without its secret, which the engine does not keep."""

    id: str
    account: str = ""
    name: str = ""
    scopes: list[str] = []
    created_at: datetime | None = None
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None


class NewApiKey(ApiKey, frozen=True, rename="camel"):
    """A key just made. key is the whole secret text; it is shown this once."""

    key: str = ""

    def __repr__(self) -> str:
        return f"NewApiKey(id={self.id!r}, account={self.account!r}, key=***)"
