"""Frames of RFC 6455, right and wrong, and what a server may say to them."""

import json
import random
import struct
from collections.abc import Iterator
from typing import NamedTuple

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
LIMIT = 4096  # bytes of a message that the notifier takes


class Said(NamedTuple):
    """Bytes for a server, and the codes with which it may close; None: it need not close."""

    what: str
    data: bytes
    codes: frozenset[int | None]


def frame(
    rng: random.Random, opcode: int, payload: bytes, *, fin: bool = True, rsv: int = 0, mask: bool = True
) -> bytes:
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    bit = 0x80 if mask else 0
    if len(payload) < 126:
        head += bytes([bit | len(payload)])
    elif len(payload) < 65536:
        head += bytes([bit | 126]) + struct.pack("!H", len(payload))
    else:
        head += bytes([bit | 127]) + struct.pack("!Q", len(payload))
    if not mask:
        return head + payload
    key = rng.randbytes(4)
    return head + key + bytes(byte ^ key[at % 4] for at, byte in enumerate(payload))


def received(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield opcode and payload of each whole frame that a server sent; AssertionError if it may not send it."""
    at = 0
    while len(data) - at >= 2:
        first, length = data[at], data[at + 1]
        assert not length & 0x80, "a server masks nothing"
        assert not first & 0x70, "no extension was agreed upon"
        size, start = length, at + 2
        if length == 126:
            (size,), start = struct.unpack_from("!H", data, at + 2), at + 4
        elif length == 127:
            (size,), start = struct.unpack_from("!Q", data, at + 2), at + 10
        if len(data) < start + size:
            return
        yield first & 0x0F, data[start : start + size]
        at = start + size


def _codes(*codes: int | None) -> frozenset[int | None]:
    return frozenset(codes)


def harmless(rng: random.Random) -> Said:
    word = rng.choice(["subscribe", "resume", "ping", "", "__proto__", "\x00", "a" * 500])
    value = rng.choice([{"type": word, "after": rng.choice([-1, 2**70, None, "x"])}, [[word] * 3], word, 1e308, None])
    kinds = [
        frame(rng, TEXT, json.dumps(value).encode()),
        frame(rng, PING, rng.randbytes(rng.randrange(126))),
        frame(rng, PONG, rng.randbytes(rng.randrange(126))),
        frame(rng, TEXT, b"a", fin=False) + frame(rng, PING, b"") + frame(rng, 0, b"b"),
        frame(rng, TEXT, b"x" * LIMIT),
    ]
    return Said("harmless", rng.choice(kinds), _codes(None))


def invalid(rng: random.Random) -> Said:
    size = rng.randrange(1, 100)
    broken = _codes(1002)
    kinds = [
        ("reserved bits", frame(rng, TEXT, b"x" * size, rsv=rng.randrange(1, 8)), broken),
        ("compressed bit", frame(rng, TEXT, b"\xca\x48\xcd\xc9\xc9\x07\x00", rsv=4), broken),
        ("unknown opcode", frame(rng, rng.choice([3, 4, 5, 6, 7, 11, 12, 13, 14, 15]), b"x"), broken),
        ("no mask", frame(rng, rng.choice([TEXT, BINARY, PING, CLOSE]), b"x" * 5, mask=False), broken),
        ("fragmented control", frame(rng, rng.choice([PING, PONG, CLOSE]), b"", fin=False), broken),
        ("long control", frame(rng, rng.choice([PING, PONG]), b"x" * rng.randrange(126, 1000)), broken),
        ("continuation of nothing", frame(rng, 0, b"x"), broken),
        ("message within a message", frame(rng, TEXT, b"x", fin=False) + frame(rng, TEXT, b"y"), broken),
        ("large", frame(rng, TEXT, b"x" * rng.randrange(LIMIT + 1, 80_000)), _codes(1009)),
        ("large in parts", _in_parts(rng), _codes(1009, 1008)),
        ("claimed to be large", bytes([0x81, 0xFF]) + struct.pack("!Q", rng.randrange(2**16, 2**63)), _codes(1009)),
        ("claimed to be negative", bytes([0x81, 0xFF]) + b"\xff" * 8, _codes(1002, 1009)),
        ("binary", frame(rng, BINARY, rng.randbytes(size)), _codes(1003)),
        ("no UTF-8", frame(rng, TEXT, b"\xff\xfe" + rng.randbytes(size)), _codes(1007)),
        ("half a character", frame(rng, TEXT, b"x\xe2", fin=False) + frame(rng, 0, b"\x82"), _codes(1007)),
        ("flood", frame(rng, TEXT, b"") * rng.randrange(11, 40), _codes(1008)),
        ("flood of pings", frame(rng, PING, b"") * rng.randrange(11, 40), _codes(1008)),
        ("noise", rng.randbytes(rng.randrange(1, 400)), _codes(1002, 1003, 1007, 1008, 1009, None, 1000, 1005)),
    ]
    return Said(*rng.choice(kinds))


def closing(rng: random.Random) -> Said:
    code = rng.choice([1000, 1001, 1002, 1003, 1007, 1011, 3000, 4999])
    wrong = rng.choice([0, 999, 1004, 1005, 1006, 1015, 2000, 5000, 65535])
    kinds = [
        ("close", frame(rng, CLOSE, struct.pack("!H", code) + b"bye"), _codes(code)),
        ("close without a code", frame(rng, CLOSE, b""), _codes(1005)),
        ("close with a wrong code", frame(rng, CLOSE, struct.pack("!H", wrong)), _codes(1002)),
        ("close with half a code", frame(rng, CLOSE, b"\x03"), _codes(1002)),
        ("close with no UTF-8", frame(rng, CLOSE, struct.pack("!H", 1000) + b"\xff"), _codes(1002, 1007)),
        ("close, and more", frame(rng, CLOSE, struct.pack("!H", 1000)) + rng.randbytes(50), _codes(1000)),
        ("close twice", frame(rng, CLOSE, struct.pack("!H", 1000)) * 2, _codes(1000)),
    ]
    return Said(*rng.choice(kinds))


def truncated(rng: random.Random) -> Said:
    whole = frame(rng, rng.choice([TEXT, PING, CLOSE]), b"\x03\xe8" + b"x" * rng.randrange(100))
    return Said("truncated", whole[: rng.randrange(1, len(whole))], _codes(None))


def _in_parts(rng: random.Random) -> bytes:
    part = rng.randrange(1000, 2000)
    first = frame(rng, TEXT, b"x" * part, fin=False)
    return first + b"".join(frame(rng, 0, b"x" * part, fin=False) for _ in range(LIMIT // part + 1))


def any_frames(rng: random.Random) -> list[Said]:
    """Return what one client says: mostly harmless, then at most one thing that ends the connection."""
    last = rng.choices([invalid, closing, truncated, harmless], [6, 3, 2, 2])[0](rng)
    return [*(harmless(rng) for _ in range(rng.randrange(3))), last]
