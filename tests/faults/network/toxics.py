"""What a link may suffer from."""

from enum import StrEnum

import msgspec


class Way(StrEnum):
    """Directions of a link: up leads to the server, down to whoever connected."""

    UP = "up"
    DOWN = "down"


class Knock(StrEnum):
    """What becomes of new connections."""

    SERVED = "served"
    SILENT = "silent"  # accepted, and nothing follows
    IGNORED = "ignored"  # nobody accepts: the backlog fills up, then handshakes get no answer
    REFUSED = "refused"  # the port is closed


BOTH = frozenset(Way)


class Toxic(msgspec.Struct, frozen=True):
    """One state of a link.

    swallow: what goes this way is lost; as TCP never skips bytes, such a connection stays mute until it is closed.
    stall: what goes this way is kept, and delivered late when the link heals, as by retransmission.
    reset_within: connections are reset at once, and new ones after a random number of bytes below this.
    """

    latency_s: float = 0
    jitter_s: float = 0
    bytes_per_s: int = 0
    slice_bytes: int = 0
    slice_pause_s: float = 0
    swallow: frozenset[Way] = frozenset()
    stall: frozenset[Way] = frozenset()
    knock: Knock = Knock.SERVED
    reset_within: int = 0


HEALTHY = Toxic()
TOXICS = {
    "latency": Toxic(latency_s=0.1, jitter_s=0.15),
    "latency 1 s": Toxic(latency_s=0.5, jitter_s=0.2),
    "bandwidth": Toxic(bytes_per_s=8_000),
    "slices": Toxic(slice_bytes=16, slice_pause_s=0.004),
    "stall": Toxic(stall=BOTH),
    "blackhole": Toxic(swallow=BOTH, knock=Knock.SILENT),
    "half-open up": Toxic(swallow=frozenset({Way.UP}), knock=Knock.IGNORED),
    "half-open down": Toxic(swallow=frozenset({Way.DOWN}), knock=Knock.SILENT),
    "reset": Toxic(reset_within=4_000),
    "refuse": Toxic(knock=Knock.REFUSED),
}
