"""I11: no secret, and no signed bytes, in anything the engine lets out."""

import base64
from collections.abc import Iterable
from typing import Any

SAMPLE = 500  # transactions whose bytes are looked for
# Where a transaction is its own: its order's id, behind signature, payer and blockhash, which are public.
OWN, PIECE = 132, 24


async def check_secrets(connection: Any, texts: list[str], secrets: list[str]) -> list[str]:
    if not texts:
        return []
    rows = await connection.fetch("select raw from tx_attempts order by created_at desc limit $1", SAMPLE)
    return find_secrets(texts, [*secrets, *(form for row in rows for form in _forms(row["raw"]))])


def find_secrets(texts: Iterable[str], secrets: Iterable[str]) -> list[str]:
    """Return where secrets are found; which of them, but not the secret."""
    known = [secret for secret in secrets if secret]
    return [
        f"I11 text {number} has secret {which} at {text.index(secret)}"
        for number, text in enumerate(texts)
        for which, secret in enumerate(known)
        if secret in text
    ]


def _forms(raw: bytes) -> list[str]:
    """Return how a piece of signed bytes may look in a text: hexadecimal, base64 of all of them, or of the message."""
    pieces = [raw[at : at + PIECE] for at in (OWN, OWN + 1)]
    return [pieces[0].hex(), *(base64.b64encode(piece).decode() for piece in pieces)]
