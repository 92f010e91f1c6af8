"""The virtual chain: what truly lands, once a signature, at or before its last height. Its ledger is the judge."""

from random import Random
from uuid import UUID

import msgspec

from swaprail.domain.chain import Blockhash, SwapTerms
from tests.simulation.loop import VirtualLoop
from tests.simulation.market import read_terms, signature_of
from tests.simulation.nodes import FINAL_AFTER, GENESIS_HEIGHT, VALID_FOR, height_of
from tests.simulation.tables import Tables
from tests.simulation.weather import Weather

SLOT_S = 0.04  # ten times as fast as Solana: a lag of 300 slots is 12 s
REVERTS = ("slippage_exceeded", "venue_rejected", "custom program error: 0x1771", "InsufficientFundsForRent")


class Transaction(msgspec.Struct):
    """A signature the chain has seen. height is where it landed, fork is where it did so on a fork."""

    signature: str
    order_id: UUID
    last_valid: int
    least_output: int
    height: int | None = None
    output: int | None = None
    error: str | None = None
    fork: int | None = None
    receipts: int = 0
    is_underway: bool = False
    terms: SwapTerms | None = None
    is_doomed: bool = False  # no leader ever takes it: its order needs another attempt


class VirtualChain:
    """The leaders and the ledger."""

    def __init__(self, loop: VirtualLoop, rng: Random, weather: Weather, tables: Tables) -> None:
        self.transactions: dict[str, Transaction] = {}
        self.broken: list[str] = []
        self._loop = loop
        self._rng = rng
        self._weather = weather
        self._tables = tables
        self._doomed = rng.choice((0.0, 0.2, 0.4, 0.7))
        self.moods = {mood: rng.choice((0.0, 0.0, 0.1, 0.5, 0.9)) for mood in ("dropped", "lands late")}

    @property
    def height(self) -> int:
        """The height now."""
        return GENESIS_HEIGHT + int(self._loop.now / SLOT_S)

    def blockhash_at(self, height: int) -> Blockhash:
        """Return the blockhash of a height."""
        return Blockhash(f"hash {height}", height + VALID_FOR)

    def handed(self, raw: bytes) -> None:
        """Check bytes that a node is being handed."""
        if signature_of(raw) not in self._tables.signatures:
            self.broken.append(f"I4 {read_terms(raw).order_id} was sent before it was stored")

    def receive(self, raw: bytes) -> None:
        """Receive bytes from a node: the first time their fate is drawn, and again only while they were dropped."""
        known = self._known(raw)
        known.receipts += 1
        if known.receipts == 1:
            known.is_doomed = self._weather.chance(self._doomed, "chain doomed")
        if known.is_underway or known.is_doomed or self.height > known.last_valid:
            return
        known.fork = self.height
        mood = self._mood()
        if mood == "dropped":
            return
        known.is_underway = True
        slots = self._slots(mood, known.last_valid - self.height)
        self._loop.outside(slots * SLOT_S, self._land, known)

    def _slots(self, mood: str, left: int) -> int:
        if mood == "well":
            return min(left, self._rng.randrange(3))
        # Late, and often only just in time.
        return self._rng.randint(0, left + 1) if self._rng.random() < 0.5 else max(0, left - self._rng.randrange(20))

    def roll_back(self) -> None:
        """Undo blocks that are not yet final; what was in them lands once more, or not."""
        depth = self._rng.randrange(1, FINAL_AFTER - 1)
        for transaction in self.transactions.values():
            if transaction.height is not None and self.height - transaction.height < depth:
                self._weather.counts["chain rolled back a landing"] += 1
                transaction.height = transaction.output = transaction.error = None
                transaction.is_underway = False
                if self._rng.random() < 0.5:
                    self._loop.outside(self._rng.randrange(VALID_FOR) * SLOT_S, self._land, transaction)

    def last_chance(self) -> None:
        """Let everything land that still could, whoever gave it up."""
        for transaction in self.transactions.values():
            self._land(transaction)

    def _known(self, raw: bytes) -> Transaction:
        signature = signature_of(raw)
        if signature not in self.transactions:
            terms = read_terms(raw)
            last_valid = height_of(terms.blockhash) + VALID_FOR
            self.transactions[signature] = Transaction(
                signature, terms.order_id, last_valid, terms.least_output, terms=terms
            )
        return self.transactions[signature]

    def _mood(self) -> str:
        for mood, share in self.moods.items():
            if self._weather.chance(share, f"chain {mood}"):
                return mood
        return "well"

    def _land(self, transaction: Transaction) -> None:
        if transaction.height is not None or self.height > transaction.last_valid:
            return
        transaction.height = self.height
        if self._rng.random() < 0.1:
            transaction.error = self._rng.choice(REVERTS)
        else:
            transaction.output = transaction.least_output + self._rng.randrange(1_000)
        self._loop.note(f"landed {transaction.signature} at {self.height}: {transaction.error or 'done'}")
        attempt = self._tables.signatures.get(transaction.signature)
        if attempt is not None and attempt["state"] == "EXPIRED":
            self.broken.append(f"I5 {transaction.order_id} landed after its attempt was proven expired")
