"""The one way to Redis: address, login, TLS and deadlines of every client."""

import time
from typing import Any, TypedDict

import redis.asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ReadOnlyError, RedisError

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


class ConnectionOptions(TypedDict):
    """How long a connection waits, in seconds, and what it does when the server has become a replica."""

    socket_connect_timeout: float
    socket_timeout: float
    retry: Retry


def connection_options(settings: Settings, *, blocking_s: float = 0) -> ConnectionOptions:
    """Return the options of every connection; blocking_s is the longest that a command waits by intent.

    A server that refuses to write has done nothing: the connection is closed, and the command sent once more, to
    whatever the address means by then.
    """
    timeout_s = settings.redis_timeout_s
    return ConnectionOptions(
        socket_connect_timeout=timeout_s,
        socket_timeout=timeout_s + blocking_s,
        retry=Retry(NoBackoff(), 1, supported_errors=(ReadOnlyError,)),
    )


def connect_redis(settings: Settings) -> redis.Redis:
    """Return a client; it connects at its first command."""
    return _TimedRedis.from_url(settings.redis_dsn, **connection_options(settings))
