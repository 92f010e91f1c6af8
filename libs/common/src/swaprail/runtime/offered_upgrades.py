"""Requests that offer to go on in another protocol (h2c by Java's HttpClient and `curl --http2`) are read as if they did not.

RFC 9110, 7.8: a server may ignore an Upgrade. llhttp ends the request at its head instead, and leaves the body unread.
"""

from typing import Any

import httptools


class OfferBlindParser:
    """An httptools parser for a protocol that upgrades to WebSocket at most."""

    def __init__(self, target: Any, *, websockets: bool) -> None:
        """Call the target's `on_…`; websockets: leave GET requests that ask for one to it."""
        self._target = target
        self._websockets = websockets
        self._parser = self._new_parser()
        self._head: list[tuple[bytes, bytes]] = []
        self._url = b""
        self._offered = False

    def feed_data(self, data: bytes) -> None:
        """Parse bytes; httptools' errors, and HttpParserUpgrade for a WebSocket alone."""
        while True:
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                if not self._offered:
                    raise
                data = self._head_without_offer() + data[upgrade.args[0] :]
                self._parser = self._new_parser()
                continue
            return

    def should_upgrade(self) -> bool:
        """Tell whether the request becomes a WebSocket."""
        return bool(self._parser.should_upgrade()) and not self._offered

    def should_keep_alive(self) -> bool:
        """Tell whether another request may follow."""
        return bool(self._parser.should_keep_alive())

    def get_method(self) -> bytes:
        """Return the method."""
        return bytes(self._parser.get_method())

    def get_http_version(self) -> str:
        """Return the version, such as 1.1."""
        return str(self._parser.get_http_version())

    def on_message_begin(self) -> None:
        """Begin a head."""
        self._head, self._url, self._offered = [], b"", False
        self._target.on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Take a part of the target of the request."""
        self._url += url
        self._target.on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self._head.append((name, value))
        self._target.on_header(name, value)

    def on_headers_complete(self) -> None:
        """Tell the target of the head, unless it is to be read once more."""
        # CONNECT is an upgrade by itself, whatever its headers: without them it would be one again, and again.
        offers = self._parser.should_upgrade() and self._parser.get_method() != b"CONNECT"
        self._offered = bool(offers) and not self._asks_for_websocket()
        if not self._offered:
            self._target.on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Pass a part of the body on."""
        self._target.on_body(body)

    def on_message_complete(self) -> None:
        """Tell the target that the request has ended, if it has."""
        if not self._offered:
            self._target.on_message_complete()

    def _new_parser(self) -> Any:
        parser = httptools.HttpRequestParser(self)
        # As uvicorn sets up its own: what follows a `Connection: close` is not an error.
        parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return parser

    def _asks_for_websocket(self) -> bool:
        offers = [value.lower() for name, value in self._head if name.lower() == b"upgrade"]
        return self._websockets and self._parser.get_method() == b"GET" and offers == [b"websocket"]

    def _head_without_offer(self) -> bytes:
        line = b"%s %s HTTP/%s\r\n" % (
            self._parser.get_method(),
            self._url,
            self._parser.get_http_version().encode(),
        )
        kept = [(name, value) for name, value in self._head if name.lower() not in (b"upgrade", b"connection")]
        if any(name.lower() == b"connection" and b"close" in value.lower() for name, value in self._head):
            kept.append((b"connection", b"close"))
        return line + b"".join(b"%s: %s\r\n" % header for header in kept) + b"\r\n"
