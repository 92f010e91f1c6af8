import asyncio
from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from swaprail_router.venue_limits import LimitRules, VenueLimit, redis_lease

RULES = LimitRules(rate_per_s=100, burst=50, chunk_s=0.1)


class Clock:
    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


class Bucket:
    """Grants what it is told, or is away."""

    def __init__(self, *grants: tuple[int, float]) -> None:
        self.grants = list(grants)
        self.asked = 0
        self.away = False

    async def __call__(self, rules: LimitRules) -> tuple[int, float]:
        self.asked += 1
        await asyncio.sleep(0)
        if self.away:
            raise RedisConnectionError("away")
        return self.grants.pop(0) if self.grants else (0, 1.0)


async def took(limit: VenueLimit, times: int) -> int:
    return sum(await asyncio.gather(*(limit.take() for _ in range(times))))


async def test_one_command_serves_a_chunk_when_many_ask_together() -> None:
    bucket = Bucket((10, 0), (10, 0), (0, 0.5))
    clock = Clock()
    limit = VenueLimit("v", RULES, bucket, now=clock)
    assert await took(limit, 10) == 10
    assert bucket.asked == 1
    assert await took(limit, 30) == 10
    assert bucket.asked == 3
    assert await took(limit, 5) == 0
    assert bucket.asked == 3  # empty for half a second: nobody asks again before
    clock.at += 0.6
    bucket.grants = [(10, 0)]
    assert await took(limit, 5) == 5


async def test_chunk_is_void_when_kept_too_long() -> None:
    bucket, clock = Bucket((10, 0), (0, 1)), Clock()
    limit = VenueLimit("v", RULES, bucket, now=clock)
    assert await limit.take()
    clock.at += 1.5
    assert not await limit.take()


async def test_same_rate_holds_locally_when_redis_is_away() -> None:
    bucket, clock = Bucket(), Clock()
    bucket.away = True
    limit = VenueLimit("v", RULES, bucket, now=clock)
    allowed = 0
    for _ in range(1_000):  # 10 s, asked every 10 ms for 3
        allowed += await took(limit, 3)
        clock.at += 0.01
    assert 950 <= allowed <= 1_000 + RULES.capacity
    assert not limit.shared
    assert bucket.asked <= 11


async def test_limit_is_shared_again_when_redis_is_back() -> None:
    bucket, clock = Bucket(), Clock()
    bucket.away = True
    limit = VenueLimit("v", RULES, bucket, now=clock)
    await limit.take()
    assert not limit.shared
    bucket.away, bucket.grants = False, [(10, 0)]
    clock.at += 1.1
    assert await limit.take()
    assert limit.shared


async def test_nobody_is_stuck_when_redis_hangs() -> None:
    async def hang(rules: LimitRules) -> tuple[int, float]:
        await asyncio.Event().wait()
        return 0, 0

    limit = VenueLimit("v", LimitRules(rate_per_s=100, redis_timeout_s=0.02), hang)
    async with asyncio.timeout(2):
        allowed = await took(limit, 50)
    assert 1 <= allowed <= 20


async def test_next_caller_leases_when_the_first_was_cancelled() -> None:
    started = asyncio.Event()
    calls = 0

    async def hang_once(rules: LimitRules) -> tuple[int, float]:
        nonlocal calls
        calls += 1
        if calls == 1:
            started.set()
            await asyncio.Event().wait()
        return 5, 0

    limit = VenueLimit("v", LimitRules(rate_per_s=100, redis_timeout_s=5), hang_once)
    first, second = asyncio.create_task(limit.take()), asyncio.create_task(limit.take())
    await started.wait()
    first.cancel()
    async with asyncio.timeout(2):
        assert await second


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_url) as client:
        yield client


async def test_replicas_share_one_allowance_when_both_ask(redis: Redis) -> None:
    rules = LimitRules(rate_per_s=1, burst=20, chunk_s=5, redis_timeout_s=5)
    replicas = [VenueLimit("v", rules, redis_lease(redis, "v")) for _ in range(2)]
    allowed = [await took(replica, 30) for replica in replicas]
    assert 20 <= sum(allowed) <= 22
    assert await took(VenueLimit("other", rules, redis_lease(redis, "other")), 30) >= 20


async def test_orders_find_their_half_when_others_ask_for_quotes_without_end(redis: Redis) -> None:
    rules = LimitRules(rate_per_s=1, burst=20, chunk_s=1, redis_timeout_s=5)
    orders, quotes = (VenueLimit("w", each, redis_lease(redis, "w")) for each in (rules, replace(rules, left=10)))
    assert 10 <= await took(quotes, 100) <= 12
    assert 10 <= await took(orders, 100) <= 12
    assert await took(quotes, 100) == 0


async def test_few_commands_are_sent_when_many_quotes_are_asked(redis: Redis) -> None:
    rules = LimitRules(rate_per_s=10_000, burst=1_000, redis_timeout_s=5)
    limit = VenueLimit("v", rules, redis_lease(redis, "v"))
    await limit.take()
    before = (await redis.info("commandstats")).get("cmdstat_evalsha", {"calls": 0})["calls"]
    assert await took(limit, 900) == 900
    after = (await redis.info("commandstats"))["cmdstat_evalsha"]["calls"]
    assert after - before <= 1


async def test_bucket_is_kept_for_a_while_only_when_nobody_asks(redis: Redis) -> None:
    await redis_lease(redis, "v")(RULES)
    assert 0 < await redis.pttl("swaprail:venue-limit:v") <= 61_000
