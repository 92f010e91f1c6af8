"""Upgrade requests, right and wrong."""

import base64
import random
from typing import NamedTuple
from urllib.parse import quote


class Request(NamedTuple):
    """The bytes of a request, whether it is whole, and whether every part of it is right."""

    data: bytes
    whole: bool
    right: bool

    def pieces(self, rng: random.Random) -> list[bytes]:
        """Return it split at any bytes."""
        cuts = sorted(rng.randrange(len(self.data) + 1) for _ in range(rng.choice([0, 0, 1, 2, 5])))
        return [self.data[low:high] for low, high in zip([0, *cuts], [*cuts, len(self.data)], strict=True)]


def right(path: str, authorization: str, rng: random.Random) -> bytes:
    """Return a request that is accepted."""
    return _bytes("GET", path, "HTTP/1.1", _headers(authorization, rng))


def any_request(rng: random.Random, paths: list[str], authorization: str) -> Request:
    """Return a request with some parts made wrong, or cut off, or with something behind it."""
    line = ["GET", rng.choice(paths), "HTTP/1.1"]
    headers = _headers(authorization, rng)
    wrongs = rng.choice([0, 1, 1, 1, 2, 3])
    for _ in range(wrongs):
        rng.choice(_WRONGS)(rng, line, headers)
    method, target, version = line
    data = _bytes(method, target, version, headers)
    cut, more = rng.random(), rng.random()
    if cut < 0.1:
        return Request(data[: rng.randrange(len(data))], whole=False, right=False)
    if more < 0.1:
        return Request(
            data + rng.choice([data, rng.randbytes(200), b"\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"]), True, False
        )
    return Request(data, whole=True, right=not wrongs)


def _headers(authorization: str, rng: random.Random) -> list[tuple[str, str]]:
    return [
        ("Host", "127.0.0.1"),
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Key", base64.b64encode(rng.randbytes(16)).decode()),
        ("Sec-WebSocket-Version", "13"),
        ("Authorization", authorization),
    ]


def _bytes(method: str, path: str, version: str, headers: list[tuple[str, str]]) -> bytes:
    lines = [f"{method} {path} {version}", *(f"{name}: {value}" for name, value in headers), "", ""]
    return "\r\n".join(lines).encode("utf-8", "surrogateescape")


def _wrong_line(rng: random.Random, line: list[str], _: list[tuple[str, str]]) -> None:
    at = rng.randrange(3)
    line[at] = rng.choice(
        [
            ["POST", "HEAD", "OPTIONS", "CONNECT", "PRI", "get", "", "G\x00T", "BREW"],
            [
                "/",
                "*",
                "",
                "//",
                "/ws",
                "/ws/orders/",
                "http://x/ws/wallets/a",
                "/ws/%ZZ/a",
                "/" + "a" * 5000,
                "/ws/../ws/x",
            ],
            ["HTTP/1.0", "HTTP/2.0", "HTTP/1.1 ", "HTTP/9.9", "", "HTTP/1.1x"],
        ][at]
    )


def _wrong_path(rng: random.Random, line: list[str], _: list[tuple[str, str]]) -> None:
    kind, name = rng.choice(["orders", "wallets", "order", "ORDERS"]), quote(rng.randbytes(rng.randrange(70)))
    after = rng.choice(
        ["-1", "1e3", "9" * 15, "9" * 400, "0", "%00", "2026-01-01T00:00:00Z", "0001-01-01T00:00:00%2B23:59"]
    )
    query = rng.choice(
        ["", f"?after={after}", f"?after={after}&after=1", "?ticket=x", "?" + "a=b&" * 30, "?%ff=%fe", "#x"]
    )
    line[1] = f"/ws/{kind}/{name}{query}"


def _wrong_header(rng: random.Random, _: list[str], headers: list[tuple[str, str]]) -> None:
    at = rng.randrange(len(headers)) if headers else 0
    value = rng.choice(
        ["", "x", "12", "14", "13, 13", "keep-alive", "h2c", "a" * 3000, "\x00", "é", "websocket, h2c", "=="]
    )
    action = rng.randrange(4)
    if action == 0 and headers:
        headers.pop(at)
    elif action == 1 and headers:
        headers.insert(at, headers[at])
    elif action == 2 and headers:
        headers[at] = (headers[at][0], value)
    else:
        headers.insert(at, (rng.choice(_NAMES), value))


def _many_headers(rng: random.Random, _: list[str], headers: list[tuple[str, str]]) -> None:
    headers += [(f"X-{number}", "y" * rng.randrange(100)) for number in range(rng.choice([10, 127, 128, 129, 400]))]


_NAMES = [
    "Sec-WebSocket-Extensions",
    "Sec-WebSocket-Protocol",
    "Sec-WebSocket-Accept",
    "Origin",
    "Content-Length",
    "Transfer-Encoding",
    "X-Forwarded-For",
    "Cookie",
    "Expect",
    "bad name",
    "",
    " folded",
]
_WRONGS = [_wrong_line, _wrong_path, _wrong_header, _wrong_header, _wrong_header, _many_headers]
