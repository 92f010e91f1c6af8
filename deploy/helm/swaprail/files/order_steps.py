#!/usr/bin/env python3
"""An order's steps over the notifier's WebSocket: as much of RFC 6455 as a reader needs, with the standard library."""

import base64
import http.client
import json
import os
import socket
import struct
from collections.abc import Callable, Iterator
from io import BufferedRWPair
from typing import Any

TEXT, CLOSE, PING = 1, 8, 9
PONG_MASKED_WITH_ZEROS = b"\x8a%c\0\0\0\0%b"
TERMINAL = {"CONFIRMED", "FAILED", "CANCELLED", "EXPIRED"}


def steps_of(address: str, order_id: str, key: str, time_left: Callable[[], float]) -> Iterator[dict[str, Any]]:
    """Yield the steps of an order from the first to the last one; time_left() bounds each wait."""
    host, _, port = address.partition(":")
    with socket.create_connection((host, int(port)), timeout=time_left()) as connection:
        stream = connection.makefile("rwb")
        _upgrade(stream, f"/ws/orders/{order_id}", host, key)
        for message in _messages(connection, stream, time_left):
            if message["type"] != "status":
                continue
            yield message
            if message["status"] in TERMINAL:
                return


def _upgrade(stream: BufferedRWPair, path: str, host: str, key: str) -> None:
    nonce = base64.b64encode(os.urandom(16)).decode()
    stream.write(
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {nonce}\r\nAuthorization: Bearer {key}\r\n\r\n".encode()
    )
    stream.flush()
    status = stream.readline().decode().strip()
    http.client.parse_headers(stream)
    if " 101 " not in status:
        raise ConnectionError(f"the notifier answered {path} with {status}")


def _messages(
    connection: socket.socket, stream: BufferedRWPair, time_left: Callable[[], float]
) -> Iterator[dict[str, Any]]:
    while True:
        connection.settimeout(time_left())
        opcode, payload = _frame(stream)
        if opcode == CLOSE:
            raise ConnectionError(f"the notifier closed the WebSocket: {payload[2:].decode()}")
        if opcode == PING:
            stream.write(PONG_MASKED_WITH_ZEROS % (0x80 | len(payload), payload))
            stream.flush()
        if opcode == TEXT:
            yield json.loads(payload)


def _frame(stream: BufferedRWPair) -> tuple[int, bytes]:
    """Read one frame: a server's are not masked, and no step is fragmented or longer than 64 KiB."""
    first, length = _exactly(stream, 2)
    if length == 126:
        (length,) = struct.unpack(">H", _exactly(stream, 2))
    return first & 0x0F, _exactly(stream, length)


def _exactly(stream: BufferedRWPair, size: int) -> bytes:
    read = stream.read(size)
    if len(read) < size:
        raise ConnectionError("the notifier dropped the connection")
    return read
