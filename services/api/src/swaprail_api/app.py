"""The wiring of the API: the only place that knows every part."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Protocol

from litestar import Litestar

from swaprail.auth import CachedKeyStore, PgKeyStore
from swaprail.broker.appender import Appender
from swaprail.broker.connect import connect_redis
from swaprail.broker.keeper import StreamKeeper
from swaprail.broker.publisher import TopicPublisher
from swaprail.broker.streams import make_broker
from swaprail.db.connect import Database
from swaprail.db.schema import check_database
from swaprail.db.writer import BatchWriter
from swaprail.domain.errors import EngineError
from swaprail.domain.tokens import load_tokens
from swaprail.runtime.service import worker_name
from swaprail.telemetry.health import Health, Needed
from swaprail.telemetry.logging import get_logger
from swaprail_api.cursor import Cursors
from swaprail_api.deadline import body_deadline, database_deadline, quotes_deadline
from swaprail_api.http.edge import Edge
from swaprail_api.http.endpoints import Endpoint, litestar_handlers
from swaprail_api.http.gate import Admission, Gate
from swaprail_api.http.origins import cors_of
from swaprail_api.http.problems import handle_exception
from swaprail_api.rate_limit import RateLimiter
from swaprail_api.routes.docs import DocsRoutes
from swaprail_api.routes.keys import KeyRoutes
from swaprail_api.routes.operations import OperationsRoutes
from swaprail_api.routes.orders import OrderRoutes
from swaprail_api.routes.quotes import QuoteRoutes
from swaprail_api.routes.reads import ReadRoutes
from swaprail_api.settings import ApiSettings
from swaprail_api.store.account_orders import AccountOrders
from swaprail_api.store.announce import Announcer
from swaprail_api.store.backlog import Backlog
from swaprail_api.store.cancels import CancelStore
from swaprail_api.store.intake import IntakeStore
from swaprail_api.store.keys import KeyTable, KeyUsage, PromptKeyStore
from swaprail_api.store.reads import OrderReader
from swaprail_api.store.starts import StartStore
from swaprail_api.turns import Turns
from swaprail_api.usecases.accept_batch import AcceptBatch
from swaprail_api.usecases.accept_order import AcceptOrder
from swaprail_api.usecases.ask_quotes import AskQuotes
from swaprail_api.usecases.cancel_order import CancelOrder
from swaprail_api.usecases.list_orders import ListOrders
from swaprail_api.usecases.manage_keys import ManageKeys
from swaprail_api.usecases.read_order import ReadOrder
from swaprail_api.usecases.start_order import StartOrder

LOOKUP_CONNECTIONS = 2
QUOTES_A_READ = 8  # so many may be asked for at once where one read may run: they wait for venues, and cost little else


class Group(Protocol):
    """Routes that belong together."""

    def endpoints(self) -> list[Endpoint]:
        """Return them."""
        ...


log = get_logger(__name__)


class Api:
    """The API: an ASGI application (asgi) whose lifespan starts and stops what it needs."""

    def __init__(self, settings: ApiSettings) -> None:
        self.settings = settings
        self.health = Health("api")
        self.deadline = database_deadline(settings.request_timeout_s)
        self._connect(settings)
        self._write()
        docs = DocsRoutes()
        self.endpoints = [*self._routes(settings), *docs.endpoints()]
        docs.describe(self.endpoints)
        self.openapi = docs.document
        self.asgi = Edge(self._litestar(settings))

    def _connect(self, settings: ApiSettings) -> None:
        self.writes = Database(
            settings.dsn,
            size=settings.db_pool_size,
            timeout_s=settings.db_timeout_s,
            lifetime_s=settings.db_connection_lifetime_s,
            application="swaprail-api",
        )
        # Apart from the writers' connections, so that slow reads hold up no order.
        self.reads = Database(
            settings.dsn,
            size=settings.read_pool_size,
            timeout_s=settings.db_timeout_s,
            lifetime_s=settings.db_connection_lifetime_s,
            application="swaprail-api-reads",
            pool="reads",
        )
        # Apart from both: who calls, how much there is and whether the database is right must be known however many read.
        self.lookups = Database(
            settings.dsn,
            size=LOOKUP_CONNECTIONS,
            timeout_s=settings.db_timeout_s,
            lifetime_s=settings.db_connection_lifetime_s,
            application="swaprail-api-lookups",
            pool="lookups",
        )
        self.redis = connect_redis(settings)
        self.broker = make_broker(settings)
        self.keeper = StreamKeeper(settings, self.broker, worker_name(settings), [])
        self.publisher = TopicPublisher(Appender(self.broker, max_entries=settings.stream_max_entries))
        # Not by the writers' connections: where commits wait for a standby, whoever reads is still served.
        # All replicas share it: while it is away each of them says so, and a proxy finds somebody to ask.
        self.health.add("database", partial(check_database, self.lookups, self.writes), needed=Needed.AT_FIRST)
        self.health.add("redis", self.keeper.check_redis, needed=Needed.NEVER)

    def _write(self) -> None:
        announcer = Announcer(self.publisher)
        self.intake = IntakeStore(self.writes, announcer)
        self.intakes = BatchWriter(self.intake.write, name="intake")
        self.starts = BatchWriter(StartStore(self.writes, announcer).write, name="start")
        self.cancels = BatchWriter(CancelStore(self.writes, announcer).write, name="cancel")
        accounts = AccountOrders(
            self.lookups,
            most_open=self.settings.account_open_orders,
            most_waiting=self.settings.account_waiting_orders,
        )
        self.backlog = Backlog(self.lookups, self.settings.max_open_orders, accounts)
        self.keys = KeyTable(self.writes, self.reads)
        self.usage = KeyUsage(self.keys)

    def _routes(self, settings: ApiSettings) -> list[Endpoint]:
        deadline = self.deadline
        body = body_deadline(settings.body_timeout_s)
        tokens = load_tokens(settings.tokens_file)
        accept = AcceptOrder(
            tokens, self.intakes, self.intake, self.backlog, deadline, longest_days=settings.order_longest_life_days
        )
        orders = OrderRoutes(
            accept,
            AcceptBatch(accept),
            StartOrder(self.starts, self.backlog, deadline),
            CancelOrder(self.cancels, deadline),
            body=body,
            key_required=settings.idempotency_key_required,
        )
        reader, turns = OrderReader(self.reads), Turns(settings.account_concurrent_reads, deadline)
        listing = ListOrders(reader, Cursors(settings.cursor_key), turns)
        reads = ReadRoutes(ReadOrder(reader, turns), listing)
        quotes = AskQuotes(
            self.broker,
            tokens,
            timeout_s=settings.quotes_timeout_s,
            max_entries=settings.stream_max_entries,
        )
        deadline_of_quotes = quotes_deadline(settings.quotes_timeout_s)
        asking = Turns(settings.account_concurrent_reads, deadline_of_quotes, of="quotes", times=QUOTES_A_READ)
        keys = KeyRoutes(ManageKeys(self.keys, deadline), turns, settings.ticket_secret, body=body)
        groups: list[Group] = [orders, reads, QuoteRoutes(quotes, asking), keys, OperationsRoutes(self.health)]
        return [endpoint for group in groups for endpoint in group.endpoints()]

    def _litestar(self, settings: ApiSettings) -> Litestar:
        limiter = RateLimiter(self.redis, limit=settings.rate_limit, window_s=settings.rate_limit_window_s)
        store = CachedKeyStore(PromptKeyStore(PgKeyStore(self.lookups), self.deadline))
        admission = Admission(store, self.usage, limiter, keys_required=settings.api_keys_required)

        def gate(app: Any) -> Any:
            return Gate(app, admission)

        return Litestar(
            litestar_handlers(self.endpoints),
            middleware=[gate],
            lifespan=[self._lifespan],
            exception_handlers={Exception: handle_exception},
            cors_config=cors_of(settings.allowed_origins),
            openapi_config=None,
            logging_config=None,
        )

    @asynccontextmanager
    async def _lifespan(self, _app: Litestar) -> AsyncIterator[None]:
        await self._start()
        try:
            yield
        finally:
            await self._stop()

    async def _start(self) -> None:
        await self._connect_database()
        for writer in (self.intakes, self.starts, self.cancels):
            await writer.start()
        await self.keeper.start()
        self.backlog.start()
        self.usage.start()
        self.health.started = True

    async def _connect_database(self) -> None:
        """Open what the first requests need, who would wait too long for it in the crowd of a rollout."""
        try:
            await self.lookups.open()
            await asyncio.gather(self.writes.open(), self.reads.open())
        except EngineError as error:
            log.warning("the database does not answer yet", detail=error.detail)

    async def _stop(self) -> None:
        self.health.draining = True
        for writer in (self.intakes, self.starts, self.cancels):
            await writer.stop()
        await self.publisher.stop()
        await self.backlog.stop()
        await self.usage.stop()
        await self.keeper.stop_consuming()
        await self.keeper.stop()
        await self.redis.aclose()
        await self.writes.close()
        await self.reads.close()
        await self.lookups.close()


def build(settings: ApiSettings) -> Api:
    """Wire the API; nothing is connected before the lifespan of its ASGI application begins."""
    return Api(settings)
