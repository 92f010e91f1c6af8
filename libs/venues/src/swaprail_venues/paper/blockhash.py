"""Blockhashes of the paper chain: any process can tell one's height, nobody without the seed can make one up."""

from functools import lru_cache
from hashlib import sha256

SIZE = 32


@lru_cache(maxsize=512)
def blockhash_at(seed: int, height: int) -> bytes:
    """Return the 32 bytes of the blockhash: 24 of a digest of seed and height, then the height."""
    digest = sha256(f"swaprail paper chain|{seed}|{height}".encode()).digest()
    return digest[:24] + height.to_bytes(8)


def height_of(seed: int, blockhash: bytes) -> int | None:
    """Return the height at which the chain gave out the blockhash, or None when it never does."""
    if len(blockhash) != SIZE:
        return None
    height = int.from_bytes(blockhash[24:])
    return height if blockhash_at(seed, height) == blockhash else None
