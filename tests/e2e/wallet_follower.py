"""A desk's WebSocket on a whole wallet: open for as long as traffic flows, and opened anew whenever it is cut."""

import asyncio
from collections import defaultdict
from datetime import datetime, timedelta

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from tests.e2e.cluster.names import WS_URL

OVERLAP = timedelta(seconds=2)  # commits may be told in another order than their times


class WalletFollower:
    """Follows a wallet until it is cancelled; `broken` names what a connection told twice or out of order."""

    def __init__(self, api_key: str, wallet: str) -> None:
        self._headers = {"Authorization": f"Bearer {api_key}"}
        self._url = f"{WS_URL}/ws/wallets/{wallet}"
        self._newest: datetime | None = None
        self.seqs: dict[str, set[int]] = defaultdict(set)
        self.connections = 0
        self.connected = asyncio.Event()
        self.broken: list[str] = []

    async def follow(self) -> None:
        while True:
            after = f"?after={(self._newest - OVERLAP).isoformat().replace('+', '%2B')}" if self._newest else ""
            try:
                async with connect(self._url + after, additional_headers=self._headers, compression=None) as socket:
                    self.connections += 1
                    self.connected.set()
                    await self._read(socket)
            except (OSError, WebSocketException, TimeoutError):
                await asyncio.sleep(0.1)

    async def _read(self, socket: ClientConnection) -> None:
        last: dict[str, int] = {}
        async for frame in socket:
            message = msgspec.json.decode(frame)
            if message["type"] != "status":
                continue
            order_id, seq = message["orderId"], message["seq"]
            if seq <= last.get(order_id, 0):
                self.broken.append(f"{order_id} went from {last[order_id]} to {seq} in one connection")
            last[order_id] = seq
            self.seqs[order_id].add(seq)
            time = datetime.fromisoformat(message["timestamp"])
            self._newest = max(self._newest or time, time)

    def missing(self, ended: dict[str, list[int]]) -> list[str]:
        """Name the orders of which it did not see every step. ended: the steps of the wallet's orders."""
        return [
            f"{order_id}: saw {sorted(self.seqs[order_id])} of {seqs}"
            for order_id, seqs in ended.items()
            if self.seqs[order_id] != set(seqs)
        ]
