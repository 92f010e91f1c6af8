"""Redis denies us one command: what needs it says so once, in Redis's words, and goes on as without Redis."""

from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest
import redis.asyncio as redis
import structlog
from structlog.testing import capture_logs

from swaprail.auth import LOCAL, issue_ticket
from swaprail.broker.acknowledger import Acknowledger
from swaprail.broker.appender import Appender
from swaprail.broker.publisher import TopicPublisher
from swaprail.broker.streams import make_broker
from swaprail.domain.errors import EngineError
from swaprail.messages.topics import Group, OrderEvent, OrderEvents, Topic
from swaprail_api.rate_limit import RateLimiter
from swaprail_local.servers.valkey import EmbeddedValkey
from swaprail_notifier.settings import NotifierSettings
from swaprail_notifier.tickets import TicketBurner

SECRET = "s" * 32


async def _publish(url: str) -> None:
    broker = make_broker(NotifierSettings(_env_file=None, redis_url=url))
    await broker.connect()
    publisher = TopicPublisher(Appender(broker, max_entries=100))
    publisher.publish(Topic.EVENTS, OrderEvents([OrderEvent(uuid4(), 1, "PENDING", 0, "desk", "alice")]))
    await publisher.stop()
    await broker.stop()


async def _acknowledge(url: str) -> None:
    async with redis.Redis.from_url(url) as client:
        acknowledger = Acknowledger(client)
        for entry in (b"1-1", b"1-2"):
            acknowledger.add(Topic.EVENTS, Group.ROUTER, [entry])
            await acknowledger.flush()


async def _count(url: str) -> None:
    async with redis.Redis.from_url(url) as client:
        limiter = RateLimiter(client, limit=5, window_s=60)
        assert await limiter.take("account", str(uuid4())) is not None


async def _burn(url: str) -> None:
    burner = TicketBurner(NotifierSettings(_env_file=None, redis_url=url, ws_ticket_secret=SECRET))
    for _ in range(3):
        with pytest.raises(EngineError, match="cannot be checked"):
            await burner.admit(issue_ticket(LOCAL, SECRET.encode()))
    await burner.stop()


@pytest.mark.parametrize(
    ("command", "use", "event"),
    [
        ("xadd", _publish, "not published; reconcilers will find the orders"),
        ("xack", _acknowledge, "entries not acknowledged; they will be claimed"),
        ("incrby", _count, "rate limits are counted alone"),
        ("set", _burn, "tickets cannot be checked"),
    ],
)
async def test_the_command_is_told_when_redis_denies_it(
    valkey_server: EmbeddedValkey,
    redis_url: str,
    command: str,
    use: Callable[[str], Awaitable[None]],
    event: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # One that another test has used is bound to where it wrote then.
    monkeypatch.setattr("swaprail.telemetry.incidents.log", structlog.get_logger())
    async with redis.Redis.from_url(redis_url) as admin:
        await admin.acl_setuser(
            "desk",
            enabled=True,
            reset=True,
            passwords=["+secret"],
            categories=["+@all"],
            commands=[f"-{command}"],
            keys=["*"],
            channels=["*"],
        )
    with capture_logs() as lines:
        await use(f"redis://desk:secret@127.0.0.1:{valkey_server.port}/0")
    told = [line for line in lines if line["log_level"] == "warning"]
    assert [line["event"] for line in told] == [event]
    assert f"'{command}'" in told[0]["cause"]
