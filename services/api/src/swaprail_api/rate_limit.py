"""Rate limits: counted in Redis for all replicas, taken from it in portions, so that few requests ask Redis."""

import asyncio
import time
from collections import OrderedDict

import msgspec
import redis.asyncio as redis

from swaprail.broker.connect import AWAY
from swaprail.clock import database_time
from swaprail.domain.errors import EngineError, ErrorCode
from swaprail.telemetry.incidents import Incident
from swaprail.telemetry.metrics import OPERATIONAL_ERRORS
from swaprail_api.metrics import RATE_LIMITED

PORTIONS_A_SECOND = 10
MAX_CALLERS = 20_000
REDIS_DEADLINE_S = 0.1
REDIS_PAUSE_S = 1.0


class _Account(msgspec.Struct):
    """What a caller may still do in a window. granted: taken from Redis so far by all replicas."""

    limit: int
    window: int
    left: int
    granted: int
    asking: asyncio.Lock
    exhausted: bool = False


class Allowance(msgspec.Struct, frozen=True):
    """What headers tell a caller."""

    limit: int
    remaining: int
    reset_s: int

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Return the RateLimit headers."""
        return [
            (b"ratelimit-limit", b"%d" % self.limit),
            (b"ratelimit-remaining", b"%d" % self.remaining),
            (b"ratelimit-reset", b"%d" % self.reset_s),
        ]


class RateLimitedError(EngineError):
    """The caller used up its window."""

    def __init__(self, allowance: Allowance) -> None:
        super().__init__(ErrorCode.RATE_LIMITED, f"at most {allowance.limit} requests are taken in a window")
        self.allowance = allowance


class RateLimiter:
    """At most `limit` requests a caller in each window of so many seconds; 0: any, but of callers with a limit of their own.

    While Redis is away, each process counts alone.
    """

    def __init__(self, client: "redis.Redis", *, limit: int, window_s: int) -> None:
        self._redis = client
        self._incident = Incident("rate limits are counted alone", "rate limits are shared again")
        self._limit = limit
        self._window_s = window_s
        self._accounts: OrderedDict[str, _Account] = OrderedDict()
        self._redis_again_at = 0.0

    async def take(self, scope: str, caller: str, own_limit: int | None = None, *, cost: int = 1) -> Allowance | None:
        """Count a request, as so many; RateLimitedError when the window is used up. scope: account or ip.

        A large one is let in by what is left, however little; what it costs beyond that the next ones pay.

        What keys of one account have a limit of their own is counted together, apart from those of another limit.
        """
        limit = own_limit or self._limit
        if not limit:
            return None
        name = _name(scope, caller, own_limit)
        now = database_time()  # a window has its name from it, for all replicas
        account = self._account(name, int(now // self._window_s), limit)
        if account.left <= 0 and not account.exhausted:
            async with account.asking:
                if account.left <= 0 and not account.exhausted:
                    await self._refill(name, account)
        reset_s = max(1, int((account.window + 1) * self._window_s - now + 0.999))
        if account.left <= 0:
            RATE_LIMITED.labels(scope).inc()
            raise RateLimitedError(Allowance(limit, 0, reset_s))
        account.left -= cost
        return Allowance(limit, max(0, limit - account.granted + account.left), reset_s)

    def owe(self, scope: str, caller: str, own_limit: int | None, cost: int) -> None:
        """Count what a request that was let in has cost beyond what was known then; the next ones pay for it."""
        account = self._accounts.get(_name(scope, caller, own_limit))
        if account is not None:
            account.left -= cost

    def _account(self, name: str, window: int, limit: int) -> _Account:
        account = self._accounts.get(name)
        if account is None or account.window != window:
            account = self._accounts[name] = _Account(limit, window, 0, 0, asyncio.Lock())
            self._accounts.move_to_end(name)
            if len(self._accounts) > MAX_CALLERS:
                self._accounts.popitem(last=False)
        return account

    async def _refill(self, name: str, account: _Account) -> None:
        portion = max(1 - account.left, account.limit // (PORTIONS_A_SECOND * self._window_s))
        taken = await self._take_from_redis(f"rate:{name}:{account.window}", portion)
        if taken is None:
            # Redis is away: this process grants the rest of the window alone.
            account.left, account.granted, account.exhausted = account.limit - account.granted, account.limit, True
            return
        before = taken - portion
        account.left += max(0, min(portion, account.limit - before))
        account.granted = min(taken, account.limit)
        account.exhausted = taken >= account.limit

    async def _take_from_redis(self, key: str, portion: int) -> int | None:
        if time.monotonic() < self._redis_again_at:
            return None
        try:
            async with asyncio.timeout(REDIS_DEADLINE_S), self._redis.pipeline(transaction=False) as pipeline:
                pipeline.incrby(key, portion)
                pipeline.expire(key, self._window_s * 2 + 1)
                taken, _ = await pipeline.execute()
        except AWAY as error:
            OPERATIONAL_ERRORS.labels("redis").inc()
            self._incident.failed(error)
            self._redis_again_at = time.monotonic() + REDIS_PAUSE_S
            return None
        self._incident.succeeded()
        return int(taken)


def _name(scope: str, caller: str, own_limit: int | None) -> str:
    return f"{scope}:{caller}:{own_limit}" if own_limit else f"{scope}:{caller}"
