"""JSON that has one reading: whatever is decoded here says the same to every other reader of it."""

import json
from codecs import BOM_UTF8
from typing import Any

import msgspec


class RepeatedNameError(ValueError):
    """One object has a name twice: each reader would take another of the two."""

    def __init__(self, name: str) -> None:
        super().__init__(f"an object has {name[:64]!r} twice")
        self.name = name[:64]


def decode_strictly[T](decoder: msgspec.json.Decoder[T], text: bytes) -> T:
    """Return what a text says, with a byte order mark or without; RepeatedNameError beside what the decoder raises."""
    text = text.removeprefix(BOM_UTF8)
    decoded = decoder.decode(text)
    # Numbers stay texts: nobody reads them here.
    json.loads(text, object_pairs_hook=_refuse_repeated, parse_int=str, parse_float=str, strict=False)
    return decoded


def _refuse_repeated(pairs: list[tuple[str, Any]]) -> None:
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        raise RepeatedNameError(next(name for name in names if names.count(name) > 1))
