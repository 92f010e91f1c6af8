"""WebSocket clients that reconnect as a careful client would, and keep everything they saw."""

import asyncio
import random
from collections.abc import Callable
from typing import Any

import msgspec
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

TERMINAL = {"CONFIRMED", "FAILED", "CANCELLED", "EXPIRED"}


class Subscriber:
    """Follows one order until it ends; resumes with ?after= whenever the connection is lost."""

    def __init__(self, url: Callable[[], str], order_id: str, api_key: str | None = None) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self.order_id = order_id
        self.messages: list[dict[str, Any]] = []
        self.connections = 0

    @property
    def seqs(self) -> list[int]:
        return [message["seq"] for message in self.messages]

    @property
    def ended(self) -> bool:
        return bool(self.messages) and self.messages[-1]["status"] in TERMINAL

    async def follow(self) -> None:
        while not self.ended:
            after = self.seqs[-1] if self.messages else 0
            try:
                async with connect(
                    f"{self._url()}/ws/orders/{self.order_id}?after={after}",
                    open_timeout=10,
                    compression=None,
                    additional_headers=self._headers,
                ) as socket:
                    self.connections += 1
                    await self._read(socket)
            except (OSError, WebSocketException, TimeoutError):
                await asyncio.sleep(0.1 + random.random() / 5)

    async def _read(self, socket: Any) -> None:
        async for frame in socket:
            message = msgspec.json.decode(frame)
            if message["type"] == "status":
                self.messages.append(message)
            if self.ended:
                return
