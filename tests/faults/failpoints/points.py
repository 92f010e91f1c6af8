"""The one table of failpoints: which effect of which service, and what makes it take place."""

from enum import StrEnum

import msgspec

from tests.faults.failpoints.trigger import Phase


class How(StrEnum):
    """What is done to the service that is to die."""

    LIVE = "live"  # it works, and is armed
    START = "start"  # it was killed, and dies again while it starts
    TAKEOVER = "takeover"  # it was killed at work, and dies again when it takes up what it left
    UNACKNOWLEDGED = "unacknowledged"  # it was killed before it acknowledged, and dies again when it claims
    DRAIN = "drain"  # it was told to stop politely
    FLUSH = "flush"  # Redis lost everything
    GARBAGE = "garbage"  # its topic holds what nobody can decode
    FOUND = "found"  # the chain is new


class Point(msgspec.Struct, frozen=True):
    """A failpoint. orders and chatter: kinds of traffic.py that make it be passed; passages: most before it ends one."""

    service: str
    name: str
    orders: tuple[str, ...] = ()
    chatter: tuple[str, ...] = ()
    how: How = How.LIVE
    phases: tuple[Phase, ...] = (Phase.BEFORE, Phase.AFTER)
    passages: int = 1

    @property
    def title(self) -> str:
        return f"{self.service}:{self.name}"


_KILLS = (Phase.BEFORE, Phase.AFTER)
_WRITES = (*_KILLS, Phase.LOST)


def _reads(
    service: str, name: str, orders: str = "", chatter: str = "", how: How = How.LIVE, passages: int = 1
) -> Point:
    return Point(service, name, tuple(orders.split()), tuple(chatter.split()), how, _KILLS, passages)


def _writes(
    service: str, name: str, orders: str = "", chatter: str = "", how: How = How.LIVE, passages: int = 1
) -> Point:
    """A write is also committed without its answer ever arriving."""
    return msgspec.structs.replace(_reads(service, name, orders, chatter, how, passages), phases=_WRITES)


_API = (
    _writes("api", "intake.ROUTING", passages=3),
    _writes("api", "intake.PENDING", orders="waiting", passages=3),
    _reads("api", "intake_find", orders="replay", passages=2),
    _writes("api", "start", orders="waiting", passages=3),
    _reads("api", "start_explain", orders="started_twice"),
    _writes("api", "cancel", orders="cancelled", passages=3),
    _reads("api", "cancel_explain", orders="cancelled_twice"),
    _reads("api", "answer.execute", passages=9),
    _reads("api", "answer.place", orders="waiting", passages=3),
    _reads("api", "answer.batch", orders="batch"),
    _reads("api", "answer.start", orders="waiting", passages=3),
    _reads("api", "answer.cancel", orders="cancelled", passages=3),
    _reads("api", "answer.replay", orders="replay", passages=3),
    Point("api", "answer.head", phases=(Phase.AFTER,), passages=9),
    _reads("api", "xadd.orders.accepted", passages=3),
    _reads("api", "xadd.orders.events", passages=3),
    _reads("api", "backlog_count", passages=2),
    _reads("api", "account_open", chatter="keys"),
    _reads("api", "account_waiting", chatter="wait"),
    _reads("api", "order_read", chatter="read"),
    _reads("api", "order_list", chatter="list"),
    _reads("api", "order_events", chatter="events"),
    _writes("api", "key_insert", chatter="keys"),
    _reads("api", "key_find", chatter="keys"),
    _reads("api", "key_list", chatter="keys"),
    _writes("api", "key_revoke", chatter="keys"),
    _writes("api", "key_touch", chatter="keys"),
    _reads("api", "quotes.ask", chatter="quotes"),
    _reads("api", "rate_limit", passages=2),
    _reads("api", "schema_revision", chatter="ready"),
    Point("api", "serve", how=How.START),
    Point("api", "drain", how=How.DRAIN),
)
_ROUTER = (
    _writes("router", "move.BUILDING", passages=5),
    _writes("router", "move.ROUTING", orders="unroutable", passages=3),
    _writes("router", "move.FAILED", orders="unroutable"),
    _writes("router", "move.EXPIRED", orders="unroutable_expiring"),
    _writes("router", "lease_scan", orders="unroutable"),
    _writes("router", "lease_renew", orders="slow_route"),
    _writes("router", "lease_release", orders="stuck_route", how=How.DRAIN),
    _writes("router", "expire_waiting", orders="expiring"),
    _writes("router", "purge_keys"),
    _writes("router", "horizon"),
    _writes("router", "horizon_below"),
    _reads("router", "measure_engine"),
    _reads("router", "audit"),
    _writes("router", "paper_open", how=How.FOUND),
    _reads("router", "paper_clock", how=How.START),
    _reads("router", "schema_revision", how=How.START),
    _reads("router", "xadd.orders.routed", passages=3),
    _reads("router", "xadd.orders.events", passages=3),
    _reads("router", "xack.orders.accepted", passages=2),
    _reads("router", "xack.quotes", chatter="quotes"),
    _reads("router", "xautoclaim", how=How.UNACKNOWLEDGED),
    _reads("router", "xgroup_create.orders.accepted", how=How.FLUSH),
    _reads("router", "xgroup_create.quotes", how=How.FLUSH),
    _reads("router", "xgroup_delconsumer", how=How.TAKEOVER, orders="slow_route"),
    _reads("router", "xadd_one.orders.accepted.dead", how=How.GARBAGE),
    _reads("router", "venue_limit"),
    _reads("router", "quotes.answer", chatter="quotes"),
    _reads("router", "quotes.reply", chatter="quotes"),
    Point("router", "serve", how=How.START),
    Point("router", "drain", orders=("slow_route",), how=How.DRAIN),
)
_EXECUTOR = (
    _reads("executor", "build", passages=5),
    _reads("executor", "sign", passages=5),
    _writes("executor", "submit", passages=5),
    _reads("executor", "chain.send", passages=5),
    _writes("executor", "paper_receive", passages=5),
    _reads("executor", "paper_landings", passages=5),
    _reads("executor", "chain.statuses", passages=5),
    _reads("executor", "paper_finalized", orders="drop", passages=3),
    _reads("executor", "chain.search", orders="drop", passages=2),
    _reads("executor", "paper_clock", passages=2),
    _writes("executor", "settle.CONFIRMED.LANDED", passages=5),
    _writes("executor", "settle.FAILED.REVERTED"),
    _writes("executor", "settle.ROUTING.EXPIRED", orders="drop"),
    _writes("executor", "settle.EXPIRED.EXPIRED", orders="drop_expiring"),
    _writes("executor", "settle.FAILED.EXPIRED", orders="never"),
    _writes("executor", "settle.SUBMITTED.LIVE", orders="drop"),
    _writes("executor", "move.ROUTING", orders="slow_build"),
    _writes("executor", "move.EXPIRED", orders="slow_build_expiring"),
    _writes("executor", "move.FAILED", orders="forged", passages=2),
    _writes("executor", "lease_scan", orders="drop", how=How.TAKEOVER),
    _reads("executor", "live_attempts", orders="drop", how=How.TAKEOVER),
    _writes("executor", "lease_renew", orders="drop"),
    _writes("executor", "lease_release", orders="drop", how=How.DRAIN),
    _reads("executor", "schema_revision", how=How.START),
    _reads("executor", "xadd.orders.events", passages=3),
    _reads("executor", "xack.orders.routed", passages=2),
    _reads("executor", "xautoclaim", how=How.UNACKNOWLEDGED),
    _reads("executor", "xgroup_create.orders.routed", how=How.FLUSH),
    _reads("executor", "xadd_one.orders.routed.dead", how=How.GARBAGE),
    Point("executor", "serve", how=How.START),
    Point("executor", "drain", orders=("drop",), how=How.DRAIN),
)
_NOTIFIER = (
    _reads("notifier", "ws.handshake", passages=9),
    _reads("notifier", "ws.write", passages=20),
    _reads("notifier", "ws.close", orders="drop", how=How.DRAIN),
    _reads("notifier", "feed.take", passages=5),
    _reads("notifier", "order_steps", passages=3),
    _reads("notifier", "order_news"),
    _reads("notifier", "oldest_writer"),
    _reads("notifier", "clock", chatter="wallet"),
    _reads("notifier", "wallet_open", chatter="wallet"),
    _reads("notifier", "wallet_later", chatter="wallet"),
    _reads("notifier", "wallet_born", chatter="wallet"),
    _reads("notifier", "key_find", chatter="key_socket"),
    _reads("notifier", "keys_unusable", chatter="long_key_socket"),
    _reads("notifier", "ticket_burn", chatter="ticket"),
    _reads("notifier", "schema_revision", chatter="ready"),
    Point("notifier", "serve", how=How.START),
    Point("notifier", "drain", orders=("drop",), how=How.DRAIN),
)

POINTS: tuple[Point, ...] = (*_API, *_ROUTER, *_EXECUTOR, *_NOTIFIER)
