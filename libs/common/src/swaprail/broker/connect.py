"""The one way to Redis: address, login, TLS and deadlines of every client."""

import time
from typing import Any, TypedDict

import redis.asyncio as redis
from redis.exceptions import RedisError

from swaprail.settings import Settings
from swaprail.telemetry import metrics

# What a command raises while Redis is beyond reach. RuntimeError: uvloop's, for a connection that was reset a moment ago.
AWAY = (RedisError, OSError, TimeoutError, RuntimeError)


class _TimedRedis(redis.Redis):
    """Measures every command that is not part of a pipeline."""

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        began = time.perf_counter()
        try:
            return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
        finally:
            metrics.REDIS_SECONDS.labels(args[0]).observe(time.perf_counter() - began)


class Deadlines(TypedDict):
    """How long a connection waits, in seconds."""

    socket_connect_timeout: float
    socket_timeout: float


def deadlines(settings: Settings, *, blocking_s: float = 0) -> Deadlines:
    """Return how long a connection waits; blocking_s is the longest that a command waits by intent."""
    timeout_s = settings.redis_timeout_s
    return Deadlines(socket_connect_timeout=timeout_s, socket_timeout=timeout_s + blocking_s)


def connect_redis(settings: Settings) -> redis.Redis:
    """Return a client; it connects at its first command."""
    return _TimedRedis.from_url(settings.redis_dsn, **deadlines(settings))
