"""Wires paper venues, chain, builder and signer from the settings."""

from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from swaprail.db.connect import Database
from swaprail.domain.tokens import TokenList
from swaprail.ports.venues import Venue
from swaprail.settings import Settings
from swaprail_venues.paper.clock import SlotClock
from swaprail_venues.paper.market import PaperMarket
from swaprail_venues.paper.rules import chain_rules
from swaprail_venues.paper.venue import PaperVenue

if TYPE_CHECKING:
    from swaprail_venues.paper.builder import PaperSigner, PaperSwapBuilder
    from swaprail_venues.paper.chain import PaperChain


class Paper(NamedTuple):
    """Everything paper; stop the chain before the database closes."""

    venues: list[Venue]
    chain: "PaperChain"
    builder: "PaperSwapBuilder"
    signer: "PaperSigner"


def build_paper_venues(settings: Settings, database: Database, tokens: TokenList) -> list[Venue]:
    """Return the paper venues alone, for who only quotes."""
    return _venues(settings, PaperMarket(settings.paper_seed, tokens), SlotClock(database))


def build_paper(settings: Settings, database: Database, tokens: TokenList) -> Paper:
    """Return venues, chain, swap builder and signer over one clock and one market."""
    # Imported by who signs and sends only: the libraries for keys take a sixth of a service's memory.
    from swaprail_venues.paper.builder import PaperSigner, PaperSwapBuilder
    from swaprail_venues.paper.chain import PaperChain
    from swaprail_venues.paper.outcome import OutcomeJudge

    market, clock = PaperMarket(settings.paper_seed, tokens), SlotClock(database)
    judge = OutcomeJudge(
        market,
        seed=settings.paper_seed,
        failure_rate=settings.mock_dex_failure_rate,
        drop_rate=settings.mock_dex_drop_rate,
    )
    signer = PaperSigner(_signer_seed(settings))
    chain = PaperChain(
        database,
        clock,
        judge,
        seed=settings.paper_seed,
        execution_delay_ms=settings.mock_dex_execution_delay_ms,
        rules=chain_rules(settings),
        signed_here=signer.take_signed,
    )
    return Paper(_venues(settings, market, clock), chain, PaperSwapBuilder(chain, signer.payer), signer)


def _venues(settings: Settings, market: PaperMarket, clock: SlotClock) -> list[Venue]:
    delay_ms = settings.mock_dex_quote_delay_ms
    return [PaperVenue(name, market, clock, delay_ms=delay_ms) for name in market.profiles]


def _signer_seed(settings: Settings) -> bytes:
    secret = settings.paper_signer_seed.get_secret_value()
    if not secret:
        return sha256(f"swaprail paper signer|{settings.paper_seed}".encode()).digest()
    return bytes.fromhex(secret)
