"""A WebSocket client that follows one order and notes when each message came."""

import asyncio
import time
from datetime import datetime
from typing import NamedTuple

import msgspec
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from swaprail.domain.lifecycle import TERMINAL, Status
from swaprail_local.step_data import STEP_DATA


class Message(msgspec.Struct, tag_field="type", tag="status", rename="camel", forbid_unknown_fields=True):
    """A message as described, except that its data are decoded later."""

    order_id: str
    seq: int
    status: Status
    timestamp: datetime
    data: msgspec.Raw


class Seen(NamedTuple):
    """A message and when it came (seconds since 1970)."""

    at: float
    message: Message


_decode = msgspec.json.Decoder(Message).decode


class Watcher(WSListener):
    """Collects messages until the order ended."""

    def __init__(self, order_id: str) -> None:
        self.order_id = order_id
        self.seen: list[Seen] = []
        self.opened = 0.0
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def seqs(self) -> list[int]:
        return [seen.message.seq for seen in self.seen]

    @property
    def messages(self) -> list[dict[str, object]]:
        """What was told, as invariants look at it."""
        return [msgspec.structs.asdict(seen.message) for seen in self.seen]

    async def follow(self, ws_url: str, within_s: float) -> None:
        """Connect and return when the order ended."""
        async with asyncio.timeout(within_s):
            transport, _ = await ws_connect(lambda: self, f"{ws_url}/ws/orders/{self.order_id}")
            try:
                await self.ended
            finally:
                transport.disconnect()

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.opened = time.time()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.CLOSE:
            transport.send_close()
            transport.disconnect()
            return
        if frame.msg_type is not WSMsgType.TEXT:
            return
        message = _decode(frame.get_payload_as_bytes())
        self.seen.append(Seen(time.time(), message))
        if message.status in TERMINAL and not self.ended.done():
            self.ended.set_result(None)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        if not self.ended.done():
            self.ended.set_exception(ConnectionError(f"the socket of {self.order_id} was closed: {self.seqs}"))

    def delays(self) -> list[float]:
        """Return seconds from the commit to the socket, of what was committed after the socket was open."""
        times = [(seen.at, seen.message.timestamp.timestamp()) for seen in self.seen]
        return [at - committed for at, committed in times if committed > self.opened]


def is_as_described(message: Message) -> bool:
    """Tell whether the data have the fields that the schemas name."""
    for kind in STEP_DATA[message.status]:
        try:
            msgspec.json.decode(message.data, type=kind)
        except msgspec.ValidationError:
            continue
        return True
    return False
