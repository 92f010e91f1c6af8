"""Measures a stream and a group of its consumers, in one round trip."""

import math
import time
from typing import Any

from swaprail.telemetry import metrics


async def observe_stream(client: Any, topic: str, group: str) -> None:
    """Set the gauges of a stream that the group reads."""
    async with client.pipeline(transaction=False) as pipeline:
        pipeline.xlen(topic)
        pipeline.xlen(f"{topic}.dead")
        pipeline.xinfo_groups(topic)
        pipeline.xpending(topic, group)
        length, dead, groups, pending = await pipeline.execute()
    metrics.STREAM_LENGTH.labels(topic).set(length)
    metrics.DEAD_LETTER_BACKLOG.labels(topic).set(dead)
    metrics.STREAM_OLDEST_PENDING.labels(topic, group).set(_age_s(pending["min"]))
    for info in groups:
        if info["name"] == group.encode():
            lag = info.get("lag")
            metrics.STREAM_LAG.labels(topic, group).set(math.nan if lag is None else lag)
            metrics.STREAM_PENDING.labels(topic, group).set(info["pending"])
            metrics.STREAM_CONSUMERS.labels(topic, group).set(info["consumers"])


def published_ms(entry_id: bytes) -> int:
    """Return when an entry was published, in milliseconds since 1970, by Redis' clock."""
    return int(entry_id.partition(b"-")[0])


def _age_s(oldest: bytes | None) -> float:
    return 0.0 if oldest is None else max(0.0, time.time() - published_ms(oldest) / 1000)
