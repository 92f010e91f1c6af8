"""Requests that offer another protocol."""

from typing import Any

import httptools
import pytest

from swaprail.runtime.offered_upgrades import OfferBlindParser

POST = b"POST /a?b=c HTTP/1.1\r\nHost: x\r\n%sContent-Length: 5\r\n\r\nhello"
CHUNKED = b"POST /a?b=c HTTP/1.1\r\nHost: x\r\n%sTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
GET = b"GET /a?b=c HTTP/1.1\r\nHost: x\r\n%s\r\n"
H2C = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
TLS = b"Connection: Upgrade\r\nUpgrade: TLS/1.0\r\n"
FOO = b"connection: upgrade\r\nupgrade: foo\r\n"
WS = b"Connection: Upgrade\r\nUpgrade: WebSocket\r\n"


class Target:
    """Notes whole requests."""

    def __init__(self, **given: bool) -> None:
        self.requests: list[tuple[bytes, bytes, bool, bytes]] = []
        self.parser = OfferBlindParser(self, **({"websockets": False} | given))

    def on_message_begin(self) -> None:
        self.url = self.body = b""
        self.headers: list[bytes] = []

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append(name.lower())

    def on_headers_complete(self) -> None:
        self.keeps = self.parser.should_keep_alive()

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.requests.append((self.parser.get_method(), self.url, self.keeps, self.body))


@pytest.mark.parametrize("offer", [H2C, TLS, FOO, WS, b""])
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_whole_requests_are_read_when_they_offer_an_upgrade(offer: bytes, size: int) -> None:
    target = Target()
    sent = b"".join(request % offer for request in (POST, GET, CHUNKED, POST, GET))
    for at in range(0, len(sent), size):
        target.parser.feed_data(sent[at : at + size])
    post, get = (b"POST", b"/a?b=c", True, b"hello"), (b"GET", b"/a?b=c", True, b"")
    assert target.requests == [post, get, post, post, get]
    assert not target.parser.should_upgrade()


def test_a_connection_ends_after_its_request_when_it_says_so_beside_its_offer() -> None:
    target = Target()
    target.parser.feed_data(POST % b"Connection: close, Upgrade\r\nUpgrade: h2c\r\n")
    assert target.requests == [(b"POST", b"/a?b=c", False, b"hello")]


def test_a_get_that_asks_for_a_websocket_is_left_to_it_when_there_are_any() -> None:
    target = Target(websockets=True)
    with pytest.raises(httptools.HttpParserUpgrade):
        target.parser.feed_data(GET % WS)
    assert target.parser.should_upgrade()
    other = Target(websockets=True)
    other.parser.feed_data(POST % WS)
    assert [request[3] for request in other.requests] == [b"hello"]


@pytest.mark.parametrize("offer", [b"", H2C, WS])
def test_a_request_to_connect_ends_at_its_head_when_anybody_sends_one(offer: bytes) -> None:
    target = Target(websockets=True)
    with pytest.raises(httptools.HttpParserUpgrade):
        target.parser.feed_data(b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n%s\r\n" % offer)
    assert [request[0] for request in target.requests] == [b"CONNECT"]


def test_nonsense_is_an_error_as_before() -> None:
    target: Any = Target()
    with pytest.raises(httptools.HttpParserError):
        target.parser.feed_data(b"nonsense\r\n\r\n")
