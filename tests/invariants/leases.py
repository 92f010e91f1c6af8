"""I10: nothing is held when the work is done, neither an order nor an entry of a topic."""

from typing import Any

import redis.asyncio as redis

from swaprail.broker.keeper import CLAIM_EVERY_S, CLAIM_IDLE_MS
from swaprail.messages.topics import Group, Topic
from swaprail.testing.conditions import until

CLAIMED_WITHIN_S = CLAIM_IDLE_MS / 1000 + 2 * CLAIM_EVERY_S
CONSUMED = ((Topic.ACCEPTED, Group.ROUTER), (Topic.ROUTED, Group.EXECUTOR))


async def check_leases(connection: Any) -> list[str]:
    held = await connection.fetch("select id::text from orders where closed_at is not null and lease_until is not null")
    return [f"I10 {row['id']} is closed and leased" for row in held]


async def check_topics(redis_url: str) -> list[str]:
    """Return what is still pending once a living consumer has had time to claim it."""
    client: Any = redis.Redis.from_url(redis_url, socket_timeout=5)

    async def is_empty() -> bool:
        return not await _pending(client)

    try:
        await until(is_empty, within_s=CLAIMED_WITHIN_S, what="no entry is pending", every_s=0.1)
    except AssertionError:
        return [f"I10 {count} entries of {topic} are pending" for topic, count in (await _pending(client)).items()]
    finally:
        await client.aclose()
    return []


async def _pending(client: Any) -> dict[str, int]:
    found: dict[str, int] = {}
    for topic, group in CONSUMED:
        groups = await client.xinfo_groups(topic) if await client.exists(topic) else []
        found |= {str(topic): g["pending"] for g in groups if g["name"] == group.encode() and g["pending"]}
    return found
