"""How often a venue may be asked, over all replicas together.

The allowance lives in Redis as a token bucket, and a replica takes it in chunks: one command for a chunk, none for a
quote. While Redis is away each replica keeps to the same rate by itself.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from typing import Any, cast

import msgspec
import structlog
from redis.asyncio import Redis

from swaprail.broker.connect import AWAY
from swaprail.telemetry.causes import cause_of

log = structlog.get_logger()

# KEYS[1] bucket, ARGV: rate per second, burst, wanted, left to others. Answers {granted, milliseconds until one more}.
_TAKE = """
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local rate, burst, wanted, left = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local kept = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens, at = tonumber(kept[1]) or burst, tonumber(kept[2]) or now
tokens = math.min(burst, tokens + math.max(0, now - at) * rate / 1000)
local granted = math.min(wanted, math.max(0, math.floor(tokens - left)))
tokens = tokens - granted
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'at', now)
redis.call('PEXPIRE', KEYS[1], math.ceil(burst / rate * 1000) + 60000)
return {granted, math.ceil(math.max(0, 1 + left - tokens) * 1000 / rate)}
"""


class LimitRules(msgspec.Struct, frozen=True):
    """At most rate_per_s questions a second to one venue by all replicas together; burst: after a quiet time.

    left: tokens of the bucket that are not taken but left to those who have a lower one.
    """

    rate_per_s: float
    burst: int = 0  # 0: one second's worth
    left: int = 0
    chunk_s: float = 0.1
    keep_s: float = 1.0  # a chunk not used up by then is void
    redis_timeout_s: float = 0.1
    redis_retry_s: float = 1.0

    @property
    def capacity(self) -> int:
        """The most tokens the bucket holds."""
        return self.burst or max(1, math.ceil(self.rate_per_s))

    @property
    def chunk(self) -> int:
        """Tokens taken by one command."""
        return min(self.capacity, max(1, round(self.rate_per_s * self.chunk_s)))


type Lease = Callable[[LimitRules], Awaitable[tuple[int, float]]]


def redis_lease(redis: "Redis", venue: str) -> Lease:
    """Return a function that takes a chunk from the venue's bucket: (tokens, seconds until there is one more)."""
    script = redis.register_script(_TAKE)
    key = f"swaprail:venue-limit:{venue}"

    async def lease(rules: LimitRules) -> tuple[int, float]:
        answer: Any = await script(keys=[key], args=[rules.rate_per_s, rules.capacity, rules.chunk, rules.left])
        granted, wait_ms = cast("list[int]", answer)
        return granted, wait_ms / 1000

    return lease


class LocalBucket:
    """The same token bucket in this process alone."""

    def __init__(self, rules: LimitRules, now: Callable[[], float]) -> None:
        self._rules = rules
        self._now = now
        self._tokens = float(rules.chunk)  # not a full burst: the shared bucket may just have given one
        self._at = now()

    def take(self) -> bool:
        """Return whether there was a token, and use it up."""
        now = self._now()
        self._tokens = min(
            float(self._rules.capacity), self._tokens + max(0.0, now - self._at) * self._rules.rate_per_s
        )
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class VenueLimit:
    """The limit of one venue in this replica."""

    def __init__(
        self, venue: str, rules: LimitRules, lease: Lease, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self.venue = venue
        self._rules = rules
        self._lease = lease
        self._now = now
        self._tokens = 0
        self._void_at = 0.0
        self._empty_until = 0.0
        self._local: LocalBucket | None = None
        self._ask_redis_at = 0.0
        self._leasing: asyncio.Future[None] | None = None

    @property
    def shared(self) -> bool:
        """Whether the limit is shared by the replicas now: false while Redis is away."""
        return self._local is None

    async def take(self) -> bool:
        """Return whether the venue may be asked now. Suspends only to lease a chunk, and never for long."""
        while (allowed := self._take_held()) is None:
            if self._leasing is None:
                await self._refill()
            elif not (await asyncio.wait([self._leasing], timeout=self._rules.redis_timeout_s))[0]:
                return False
        return allowed

    def _take_held(self) -> bool | None:
        now = self._now()
        if self._tokens > 0 and now < self._void_at:
            self._tokens -= 1
            return True
        if self._local is not None and now < self._ask_redis_at:
            return self._local.take()
        return False if now < self._empty_until else None

    async def _refill(self) -> None:
        self._leasing = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(self._rules.redis_timeout_s):
                self._tokens, wait_s = await self._lease(self._rules)
        except AWAY as error:
            self._fall_back(error)
        else:
            self._accept(wait_s)
        finally:
            self._leasing.set_result(None)
            self._leasing = None

    def _accept(self, wait_s: float) -> None:
        now = self._now()
        self._void_at = now + self._rules.keep_s
        self._empty_until = now + wait_s if self._tokens < 1 else 0.0
        if self._local is not None:
            log.info("venue limit is shared again", venue=self.venue)
            self._local = None

    def _fall_back(self, error: Exception) -> None:
        self._tokens = 0
        self._ask_redis_at = self._now() + self._rules.redis_retry_s
        if self._local is None:
            log.warning("venue limit is kept locally, Redis is away", venue=self.venue, cause=cause_of(error))
            self._local = LocalBucket(self._rules, self._now)
