"""The only place where the router is wired."""

from functools import partial
from typing import Any

from msgspec import structs

from swaprail.broker.appender import Appender
from swaprail.broker.connect import connect_redis
from swaprail.broker.keeper import Consumption, StreamKeeper
from swaprail.broker.publisher import TopicPublisher
from swaprail.broker.streams import make_broker
from swaprail.db.connect import Database
from swaprail.db.leases import Leases
from swaprail.db.schema import check_database, wait_for_schema
from swaprail.db.transitions import Move, write_moves
from swaprail.domain.lifecycle import Status
from swaprail.domain.tokens import load_tokens
from swaprail.messages.topics import Group, OrdersAccepted, QuotesAsked, Topic
from swaprail.ports.venues import Venue
from swaprail.runtime.consume import consume
from swaprail.runtime.inflight import InFlight
from swaprail.runtime.intake import Intake
from swaprail.runtime.order_writer import OrderWriter
from swaprail.runtime.service import worker_name
from swaprail.telemetry.health import Health, Needed
from swaprail_router.answer_quotes import subscribe_quotes
from swaprail_router.ask_venues import GuardedVenue
from swaprail_router.choose_route import RouteRules
from swaprail_router.circuit_breaker import BreakerRules, CircuitBreaker
from swaprail_router.housekeeping import Housekeeping
from swaprail_router.keep_horizons import Horizons
from swaprail_router.measure_engine import EngineMeasures
from swaprail_router.quoting import Quoting
from swaprail_router.reference_prices import ReferencePrices
from swaprail_router.route_order import Desk, route_order
from swaprail_router.settings import RouterSettings
from swaprail_router.venue_limits import LimitRules, VenueLimit, redis_lease
from swaprail_venues.paper import build_paper_venues


class Router:
    """The router service."""

    def __init__(self, settings: RouterSettings) -> None:
        self.health = Health("router")
        owner = worker_name(settings)
        self._database = Database(
            settings.dsn,
            size=settings.db_pool_size,
            timeout_s=settings.db_timeout_s,
            lifetime_s=settings.db_connection_lifetime_s,
            application=f"swaprail router {owner}"[:63],
        )
        self._redis: Any = connect_redis(settings)
        broker = make_broker(settings)
        self._publisher = TopicPublisher(Appender(broker, max_entries=settings.stream_max_entries))
        tokens = load_tokens(settings.tokens_file)
        venues = build_paper_venues(settings, self._database, tokens)
        quoting, asking = _quoting(settings, venues, self._redis)
        self._moves: OrderWriter[Move] = OrderWriter(
            partial(write_moves, self._database, owner), self._publisher, name="router_moves"
        )
        desk = Desk(settings, quoting, tokens, self._moves)
        leases = Leases(self._database, owner, settings.lease_s, [Status.ROUTING])
        self._inflight = InFlight(
            partial(route_order, desk),
            leases,
            limit=settings.router_in_flight,
            stage="routing",
        )
        self._intake = Intake(leases, self._inflight, takes=Status.ROUTING, interval_s=settings.reconcile_interval_s)
        self._housekeeping = Housekeeping(
            self._database,
            self._publisher,
            interval_s=settings.reconcile_interval_s,
            retention_days=settings.idempotency_retention_days,
            longest_days=settings.order_longest_life_days,
        )
        self._horizons = Horizons(self._database)
        self._measures = EngineMeasures(self._database)
        accepted = Consumption(Topic.ACCEPTED, Group.ROUTER, OrdersAccepted)
        quotes = Consumption(Topic.QUOTES, Group.ROUTER, QuotesAsked)
        self._keeper = StreamKeeper(settings, broker, owner, [accepted, quotes])
        consume(broker, self._keeper, accepted, self._intake, owner)
        quotes.handle = _forget
        subscribe_quotes(broker, self._keeper, asking, owner)
        self.health.add("database", partial(check_database, self._database))
        # Without Redis the scans of the database go on, so it does not decide on readiness (docs/adr/0007).
        self.health.add("redis", self._keeper.check_redis, needed=Needed.NEVER)
        self.health.add("subscribers", self._keeper.check_subscribers)

    async def start(self) -> None:
        """Wait for the schema, then take orders."""
        await wait_for_schema(self._database)
        self._inflight.start()
        self._intake.start()
        self._housekeeping.start()
        self._horizons.start()
        self._measures.start()
        await self._keeper.start()

    async def drain(self) -> None:
        """Take nothing new, finish what is in flight, write and publish the rest."""
        await self._intake.stop()
        await self._keeper.stop_consuming()
        await self._housekeeping.stop()
        await self._horizons.stop()
        await self._measures.stop()
        await self._inflight.drain()
        await self._publisher.stop()

    async def stop(self) -> None:
        """Hand over what is unfinished and close every connection."""
        await self._inflight.stop()
        await self._moves.stop()
        await self._publisher.stop()
        await self._keeper.stop()
        await self._redis.aclose()
        await self._database.close()


async def _forget(messages: list[QuotesAsked]) -> None:
    """Drop quote requests of a dead router: whoever asked has asked again."""


def _quoting(settings: RouterSettings, venues: list[Venue], client: Any) -> tuple[Quoting, Quoting]:
    """Return what quotes for orders, and what does for those who merely ask, and leaves half of a venue's allowance."""
    breaker = BreakerRules(
        failure_ratio=settings.router_breaker_failure_ratio,
        window_s=settings.router_breaker_window_s,
        min_calls=settings.router_breaker_min_calls,
        open_s=settings.router_breaker_open_s,
    )
    guarded = [GuardedVenue(venue, CircuitBreaker(venue.name, breaker)) for venue in venues]
    rules = RouteRules(
        max_age_s=settings.router_quote_max_age_s,
        max_price_impact_bps=settings.router_max_price_impact_bps,
        max_deviation_bps=settings.router_max_deviation_bps,
    )
    prices = ReferencePrices(max_age_s=settings.router_reference_max_age_s)
    limits = LimitRules(settings.router_venue_rate_per_s)
    make = partial(Quoting, rules=rules, prices=prices, deadline_s=settings.router_quote_deadline_s)
    yielding = structs.replace(limits, left=limits.capacity // 2)
    return make(_limited(guarded, limits, client)), make(_limited(guarded, yielding, client))


def _limited(venues: list[GuardedVenue], rules: LimitRules, client: Any) -> list[GuardedVenue]:
    if not rules.rate_per_s:
        return venues
    names = [guarded.venue.name for guarded in venues]
    limits = [VenueLimit(name, rules, redis_lease(client, name)) for name in names]
    return [structs.replace(guarded, limit=limit) for guarded, limit in zip(venues, limits, strict=True)]
