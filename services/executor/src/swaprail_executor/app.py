"""The only place where the executor is wired."""

from functools import partial

from swaprail.broker.appender import Appender
from swaprail.broker.keeper import Consumption, StreamKeeper
from swaprail.broker.publisher import TopicPublisher
from swaprail.broker.streams import make_broker
from swaprail.db.connect import Database
from swaprail.db.leases import Leases
from swaprail.db.schema import check_database, wait_for_schema
from swaprail.db.transitions import Move, write_moves
from swaprail.db.writer import BatchWriter
from swaprail.domain.lifecycle import Status
from swaprail.domain.orders import LeasedOrder
from swaprail.domain.tokens import load_tokens
from swaprail.messages.topics import Group, OrdersRouted, Topic
from swaprail.runtime.consume import consume
from swaprail.runtime.inflight import InFlight
from swaprail.runtime.intake import Intake
from swaprail.runtime.order_writer import OrderWriter
from swaprail.runtime.service import worker_name
from swaprail.telemetry.health import Health, Needed
from swaprail.telemetry.registry import start_at_zero
from swaprail_executor import metrics
from swaprail_executor.attempts import Settlement, Submission, read_live, write_settlements, write_submissions
from swaprail_executor.desk import Desk, building_deadline
from swaprail_executor.execute_order import execute_order
from swaprail_executor.nodes import Nodes
from swaprail_executor.settings import ExecutorSettings
from swaprail_venues.paper import build_paper

LEDGER_CONNECTIONS = 2  # one sends, one looks


class Executor:
    """The executor service."""

    def __init__(self, settings: ExecutorSettings) -> None:
        self.health = Health("executor")
        owner = worker_name(settings)
        self._database = Database(
            settings.dsn,
            size=settings.db_pool_size,
            timeout_s=settings.db_timeout_s,
            lifetime_s=settings.db_connection_lifetime_s,
            application=f"swaprail executor {owner}"[:63],
        )
        # What the paper chain was sent may be lost in a crash, as a real one loses transactions: the bytes are sent again.
        self._ledger = Database(
            settings.dsn,
            size=LEDGER_CONNECTIONS,
            timeout_s=settings.db_timeout_s,
            lifetime_s=settings.db_connection_lifetime_s,
            application=f"swaprail executor {owner}"[:63],
            pool="paper",
            durable=False,
        )
        broker = make_broker(settings)
        self._publisher = TopicPublisher(Appender(broker, max_entries=settings.stream_max_entries))
        tokens = load_tokens(settings.tokens_file)
        self._paper = build_paper(settings, self._ledger, tokens)
        names = [venue.name for venue in self._paper.venues]
        start_at_zero(metrics.ATTEMPTS, names, ["landed", "reverted", "expired", "refused"])
        start_at_zero(metrics.SLIPPAGE, names)
        start_at_zero(metrics.NODE_ERRORS, [self._paper.chain.name], ["blockhash", "send", "landings"])
        self._moves: OrderWriter[Move] = OrderWriter(
            partial(write_moves, self._database, owner), self._publisher, name="executor_moves"
        )
        self._submissions: OrderWriter[Submission] = OrderWriter(
            partial(write_submissions, self._database, owner, settings.lease_s), self._publisher, name="submissions"
        )
        self._settlements: OrderWriter[Settlement] = OrderWriter(
            partial(write_settlements, self._database, owner), self._publisher, name="settlements"
        )
        self._live = BatchWriter(partial(read_live, self._database), name="live_attempts")
        desk = Desk(
            settings=settings,
            chain=Nodes(
                [self._paper.chain],
                settings.commitment,
                timeout_s=settings.executor_chain_timeout_s,
                valid_for=settings.paper_blockhash_blocks,
            ),
            builder=self._paper.builder,
            signer=self._paper.signer,
            tokens=tokens,
            moves=self._moves,
            submissions=self._submissions,
            settlements=self._settlements,
            building=building_deadline(settings),
            live_attempt=self._live.submit,
            extended=self._lease_extended,
            idles=self._idles,
        )
        leases = Leases(self._database, owner, settings.lease_s, [Status.BUILDING, Status.SUBMITTED])
        self._inflight = InFlight(
            partial(execute_order, desk),
            leases,
            limit=settings.executor_in_flight,
            stage="executing",
        )
        self._intake = Intake(leases, self._inflight, takes=Status.BUILDING, interval_s=settings.reconcile_interval_s)
        consumption = Consumption(Topic.ROUTED, Group.EXECUTOR, OrdersRouted)
        self._keeper = StreamKeeper(settings, broker, owner, [consumption])
        consume(broker, self._keeper, consumption, self._intake, owner)
        self.health.add("database", partial(check_database, self._database))
        # Without Redis the scans of the database go on, so it does not decide on readiness (docs/adr/0007).
        self.health.add("redis", self._keeper.check_redis, needed=Needed.NEVER)
        self.health.add("subscribers", self._keeper.check_subscribers)

    def _lease_extended(self, order: LeasedOrder) -> None:
        self._inflight.extended(order)

    def _idles(self, order: LeasedOrder, idle: bool) -> None:
        self._inflight.idles(order, idle=idle)

    async def start(self) -> None:
        """Wait for the schema, then take orders."""
        await wait_for_schema(self._database)
        await self._paper.chain.start()
        self._inflight.start()
        self._intake.start()
        await self._keeper.start()

    async def drain(self) -> None:
        """Take nothing new, submit what is being built, hand over what waits for the chain, publish the rest."""
        await self._intake.stop()
        await self._keeper.stop_consuming()
        await self._inflight.drain()
        await self._publisher.stop()

    async def stop(self) -> None:
        """Leave what is unfinished to its leases and close every connection."""
        await self._inflight.stop()
        for writer in (self._moves, self._submissions, self._settlements):
            await writer.stop()
        await self._publisher.stop()
        await self._paper.chain.stop()
        await self._keeper.stop()
        await self._database.close()
        await self._ledger.close()
