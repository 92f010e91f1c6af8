"""Wraps the few seams through which a service acts on the world. Production code knows nothing of it."""

import importlib
from collections.abc import Awaitable, Callable, Sequence
from functools import cache
from typing import Any

from tests.faults.failpoints.trigger import trigger

type Make = Callable[[Any], Any]
type Named = Callable[..., str]

# These find nothing more often than not: the point after them is one where there was something.
_NEED_ROWS = {"lease_scan", "lease_renew", "expire_waiting", "horizon"}


def wrap_all() -> None:
    """Wrap every seam; to be called once, before a service is built."""
    for target, make in SEAMS.items():
        module, _, path = target.partition(":")
        *owners, name = path.split(".")
        owner: Any = importlib.import_module(module)
        for part in owners:
            owner = getattr(owner, part)
        setattr(owner, name, make(getattr(owner, name)))


def _effect(name: str | Named) -> Make:
    """Wrap a coroutine function; the name may depend on its arguments."""

    def make(original: Any) -> Any:
        async def wrapped(*args: Any, **options: Any) -> Any:
            called = name if isinstance(name, str) else name(*args, **options)
            return await trigger.around((called,), original(*args, **options))

        return wrapped

    return make


def _batch(base: str, detail: Callable[[Any], str]) -> Make:
    """Wrap a write of many rows; each kind of row in it is a point."""

    def make(original: Any) -> Any:
        async def wrapped(*args: Any) -> Any:
            return await trigger.around({f"{base}.{detail(row)}" for row in args[-1]}, original(*args))

        return wrapped

    return make


def _fetch(original: Any) -> Any:
    async def fetch(self: Any, sql: str, *args: Any) -> Any:
        name = _name(sql)
        names = (name, *_intake_kinds(args)) if name == "intake" else (name,)
        trigger.before(*names)
        rows = await original(self, sql, *args)
        if rows or name not in _NEED_ROWS:
            trigger.after(*names)
            trigger.lost(*names)
        return rows

    return fetch


@cache
def _name(sql: str) -> str:
    return sql[3 : sql.index(" */")] if sql.startswith("/* ") else "unnamed"


def _intake_kinds(columns: Sequence[Any]) -> set[str]:
    from swaprail_api.store.intake_row import IntakeRow

    return {
        "intake.ROUTING" if execute else "intake.PENDING" for execute in columns[IntakeRow._fields.index("execute")]
    }


def _hand_over(original: Any) -> Any:
    async def hand_over(self: Any, entries: Sequence[tuple[Any, Any]]) -> None:
        await trigger.around({f"xadd.{topic}" for topic, _ in entries}, original(self, entries))

    return hand_over


def _xautoclaim(original: Any) -> Any:
    async def xautoclaim(self: Any, *args: Any, **options: Any) -> Any:
        trigger.before("xautoclaim")
        found = await original(self, *args, **options)
        if found[1]:
            trigger.after("xautoclaim")
        return found

    return xautoclaim


def _lease_source(original: Any) -> Any:
    def redis_lease(*args: Any) -> Callable[..., Awaitable[Any]]:
        wrapped: Callable[..., Awaitable[Any]] = _effect("venue_limit")(original(*args))
        return wrapped

    return redis_lease


def _answer(original: Any) -> Any:
    async def answer(self: Any, scope: Any, receive: Any, send: Any) -> None:
        names = _answer_names(self, scope)

        async def tell(message: Any) -> None:
            head = message["type"] == "http.response.start"
            if head:
                trigger.before(*names)
            await send(message)
            trigger.written(*(("answer.head",) if head else names))

        await original(self, scope, receive, tell)

    return answer


_ANSWERS = {
    "/api/orders": "answer.place",
    "/api/orders/execute": "answer.execute",
    "/api/orders/batch": "answer.batch",
    "/api/orders/{orderId}/execute": "answer.start",
    "/api/orders/{orderId}/cancel": "answer.cancel",
}


def _answer_names(answer: Any, scope: Any) -> tuple[str, ...]:
    handler = scope.get("route_handler")
    endpoint = handler.opt.get("endpoint") if handler else None
    if endpoint is None or endpoint.method != "POST" or endpoint.path not in _ANSWERS:
        return ("answer.other",)
    replayed = any(name == b"idempotency-replayed" for name, _ in answer.headers)
    return ("answer.replay",) if replayed else (_ANSWERS[endpoint.path],)


def _open_socket(original: Any) -> Any:
    def open_socket(self: Any, response: Any) -> None:
        trigger.before("ws.handshake")
        original(self, response)
        trigger.written("ws.handshake")
        write = self._out.write

        def told(data: bytes) -> None:
            trigger.before("ws.write")
            write(data)
            trigger.written("ws.write")

        self._out.write = told

    return open_socket


def _close_socket(original: Any) -> Any:
    def close(self: Any, code: int, reason: str) -> None:
        trigger.before("ws.close")
        original(self, code, reason)
        trigger.written("ws.close")

    return close


def _of_topic(base: str) -> Named:
    return lambda _self, *args, **options: f"{base}.{args[0] if args else options['name']}"


_MOVES = _batch("move", lambda move: str(move.following))
_REDIS = "redis.asyncio:Redis"

SEAMS: dict[str, Make] = {
    "swaprail.db.connect:Database.fetch": _fetch,
    "swaprail_router.app:write_moves": _MOVES,
    "swaprail_executor.app:write_moves": _MOVES,
    "swaprail_executor.app:write_settlements": _batch("settle", lambda s: f"{s.following}.{s.state}"),
    "swaprail_router.measure_engine:audit_orders": _effect("audit"),
    "swaprail.broker.publisher:TopicPublisher._hand_over": _hand_over,
    f"{_REDIS}.xack": _effect(_of_topic("xack")),
    f"{_REDIS}.xautoclaim": _xautoclaim,
    f"{_REDIS}.xgroup_create": _effect(_of_topic("xgroup_create")),
    f"{_REDIS}.xgroup_delconsumer": _effect("xgroup_delconsumer"),
    f"{_REDIS}.xadd": _effect(_of_topic("xadd_one")),
    f"{_REDIS}.publish": _effect("quotes.reply"),
    "swaprail_api.usecases.ask_quotes:AskQuotes._ask": _effect("quotes.ask"),
    "swaprail_api.rate_limit:RateLimiter._take_from_redis": _effect("rate_limit"),
    "swaprail_api.http.answers:Answer.__call__": _answer,
    "swaprail_router.answer_quotes:answer_quotes": _effect("quotes.answer"),
    "swaprail_router.app:redis_lease": _lease_source,
    "swaprail_venues.paper.chain:PaperChain.send": _effect("chain.send"),
    "swaprail_venues.paper.chain:PaperChain.statuses": _effect("chain.statuses"),
    "swaprail_venues.paper.chain:PaperChain.search": _effect("chain.search"),
    "swaprail_venues.paper.builder:PaperSwapBuilder.build": _effect("build"),
    "swaprail_venues.paper.builder:PaperSigner.sign": _effect("sign"),
    "swaprail_notifier.protocol:Socket._open": _open_socket,
    "swaprail_notifier.protocol:Socket.close": _close_socket,
    "swaprail_notifier.feed:Feed._take": _effect("feed.take"),
    "swaprail_notifier.tickets:TicketBurner._burn": _effect("ticket_burn"),
    **{
        f"{service}.{method}": _effect(name)
        for service in (
            "swaprail_api.__main__:ApiService",
            "swaprail_notifier.service:NotifierService",
            "swaprail_router.app:Router",
            "swaprail_executor.app:Executor",
        )
        for method, name in (("start", "serve"), ("drain", "drain"))
    },
}
