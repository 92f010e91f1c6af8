"""An engine with two accounts, each with a key of every scope."""

import hashlib
from typing import Any
from uuid import UUID

import httpx

from swaprail.auth import ALL_SCOPES
from tests.fuzz.served import add_key
from tests.system.engine import Engine

ORDER = {"userWallet": "alice", "inputToken": "SOL", "outputToken": "USDC", "inputAmount": "1.5"}
MOST_WEBSOCKETS = 300
TICKET_SECRET = "t" * 40
CURSOR_SECRET = "c" * 40


class Two:
    """Accounts one and two of an engine."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.one = self.key("one")
        self.two = self.key("two")

    @property
    def url(self) -> str:
        return self.engine.url

    def key(self, account: str, *scopes: str, **columns: object) -> dict[str, str]:
        """Return the header of a new key; without scopes of all of them."""
        text = add_key(self.engine.dsn, account, scopes or tuple(sorted(ALL_SCOPES)), **columns)
        return {"authorization": f"Bearer {text}"}

    async def call(
        self, method: str, path: str, headers: dict[str, str], body: Any = None, **more: Any
    ) -> httpx.Response:
        async with httpx.AsyncClient(base_url=self.url, timeout=10) as client:
            return await client.request(method, path, headers=headers, json=body, **more)

    async def place(self, headers: dict[str, str], **changes: Any) -> str:
        answer = await self.call("POST", "/api/orders", headers, ORDER | changes)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["orderId"])


def unknown_id(seed: object) -> str:
    """Return an id that no order has, of the same form."""
    return str(UUID(bytes=hashlib.sha256(str(seed).encode()).digest()[:16], version=4))
