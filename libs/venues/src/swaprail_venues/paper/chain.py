"""The paper chain: a ledger in PostgreSQL, shared by all executors."""

import asyncio
import time
from collections.abc import Callable, Sequence

import asyncpg
import msgspec
from solders.hash import Hash, ParseHashError

from swaprail.db.connect import Database
from swaprail.db.writer import BatchWriter
from swaprail.domain.chain import Blockhash, Commitment, Finality, Landing, Search
from swaprail.ports.venues import VenueError
from swaprail_venues.paper import statements
from swaprail_venues.paper.blockhash import blockhash_at, height_of
from swaprail_venues.paper.clock import SlotClock
from swaprail_venues.paper.hints import LandingHints
from swaprail_venues.paper.outcome import Outcome, OutcomeJudge
from swaprail_venues.paper.rules import ChainRules
from swaprail_venues.paper.transaction import SignedMessage, TransactionError, open_transaction

MAX_ROWS = 256
BLOCKHASH_AGE_S = 1.0
CLOCK_ATTEMPTS = 3
NODE = "paper"
MAX_HEIGHT = 2**53


class _Sending(msgspec.Struct, frozen=True):
    """A transaction on its way to the ledger, with the outcome it has in the slot."""

    signed: SignedMessage
    last_valid: int
    slot: int
    outcome: Outcome


class _Receipt(msgspec.Struct, frozen=True):
    """What the ledger says of a sending. Not taken, expired nor early: its slot was not the landing's."""

    taken: bool
    expired: bool
    early: bool
    lands_in_s: float | None


class PaperChain:
    """Implements ports.chain.ChainNode, and never lies. Calls made at the same time share statements of up to 256 rows."""

    def __init__(
        self,
        database: Database,
        clock: SlotClock,
        judge: OutcomeJudge,
        *,
        seed: int,
        execution_delay_ms: float,
        rules: ChainRules,
        signed_here: Callable[[bytes], bool] = lambda _: False,
    ) -> None:
        """signed_here tells of bytes that this process signed: verifying is a fifth of what an order costs an executor."""
        self._database = database
        self._clock = clock
        self._judge = judge
        self._seed = seed
        self._delay_ms = execution_delay_ms
        self._rules = rules
        self._signed_here = signed_here
        self._hints = LandingHints()
        self._blockhash: tuple[float, Blockhash] | None = None
        self._refreshing = asyncio.Lock()
        self._sends: BatchWriter[_Sending, _Receipt] = BatchWriter(self._receive, name="paper_sends", max_rows=MAX_ROWS)
        self._reads: BatchWriter[str, Landing | None] = BatchWriter(
            self._read_landings, name="paper_landings", max_rows=MAX_ROWS
        )

    @property
    def name(self) -> str:
        """The node's name in evidence and metrics."""
        return NODE

    async def start(self) -> None:
        """Take calls (again)."""
        await self._sends.start()
        await self._reads.start()

    async def stop(self) -> None:
        """Finish the calls under way and take no more."""
        await self._sends.stop()
        await self._reads.stop()

    async def latest_blockhash(self) -> Blockhash:
        """Return the blockhash of the current height, at most a second old, and its last valid height."""
        if fresh := self._fresh_blockhash():
            return fresh
        async with self._refreshing:
            if fresh := self._fresh_blockhash():
                return fresh
            await self._clock.sync()
            height = self._clock.slot()
            value = str(Hash.from_bytes(blockhash_at(self._seed, height)))
            blockhash = Blockhash(value, height + self._rules.valid_for)
            self._blockhash = (time.monotonic(), blockhash)
            return blockhash

    async def height_knowing(self, blockhash: str) -> int | None:
        """Return the height of the blockhash while it is valid, None of any other."""
        try:
            height = height_of(self._seed, bytes(Hash.from_string(blockhash)))
        except ParseHashError:
            return None
        await self._clock.ready()
        # By this machine's clock, which may be a slot late.
        valid = height is not None and height - 1 <= self._clock.slot() <= height + self._rules.valid_for
        return height if valid else None

    async def send(self, raw: bytes) -> None:
        """Receive the bytes: a signature is received once, however often it is sent, and lands at most once.

        Raises VenueError malformed, blockhash_unknown or blockhash_expired when it refuses, EngineError unavailable
        when the ledger is away. None of these says anything about bytes sent before.
        """
        try:
            signed = open_transaction(raw, verified=self._signed_here(raw))
        except TransactionError as error:
            raise VenueError("malformed", str(error), retryable=False) from error
        height = height_of(self._seed, signed.message.blockhash)
        if height is None or height > MAX_HEIGHT:
            raise _never_given_out()
        await self._clock.ready()
        for _ in range(CLOCK_ATTEMPTS):
            began = time.monotonic()
            receipt = await self._sends.submit(self._sending(signed, height + self._rules.valid_for))
            if receipt.taken or receipt.expired or receipt.early:
                self._note(signed.signature, receipt, took_s=time.monotonic() - began)
                return
            await self._clock.sync()
        raise VenueError("unavailable", "this machine's clock does not keep up with the chain's")

    async def statuses(self, signatures: Sequence[str]) -> dict[str, Landing]:
        """Return what has landed of up to 256 signatures; one not shown may still land."""
        if not signatures:
            return {}
        found = await self._reads.submit_group(tuple(signatures))
        return {landing.signature: landing for landing in found if landing is not None}

    async def wait_hint(self, signature: str, longest: float) -> None:
        """Return when what this process sent should have landed, at most after so many seconds."""
        await self._hints.wait(signature, longest)

    async def finality(self) -> Finality:
        """Return the latest finalized block; its height is its slot."""
        height = max(0, await self._database.fetchval(statements.FINALIZED, self._rules.finality_slots) or 0)
        return Finality(height, height)

    async def search(self, signature: str) -> Search:
        """Look for the signature among all that was received and has landed, or will, while nothing is being received."""
        (row,) = await self._database.read_after(statements.LOCK_LEDGER, statements.TRACE, signature)
        return Search(row["slot"], row["traced"])

    def _fresh_blockhash(self) -> Blockhash | None:
        cached = self._blockhash
        return cached[1] if cached and time.monotonic() - cached[0] < BLOCKHASH_AGE_S else None

    def _sending(self, signed: SignedMessage, last_valid: int) -> _Sending:
        slot = self._clock.slot_in(self._delay_ms)
        return _Sending(signed, last_valid, slot, self._judge.decide(signed, slot))

    def _note(self, signature: str, receipt: _Receipt, *, took_s: float) -> None:
        if receipt.early and not receipt.taken:
            raise _never_given_out()
        if not receipt.taken:
            raise VenueError("blockhash_expired", "the blockhash is too old", retryable=False)
        if receipt.lands_in_s is not None:
            # Counted from when the ledger received it: about half of the time that the answer took.
            self._hints.expect(signature, max(0.0, receipt.lands_in_s - took_s / 2))

    async def _receive(self, sendings: Sequence[_Sending]) -> list[_Receipt]:
        once: dict[str, _Sending] = {}
        times: dict[str, int] = {}
        for sending in sendings:
            signature = sending.signed.signature
            once[signature] = sending
            times[signature] = times.get(signature, 0) + 1
        rows = await self._database.fetch(statements.RECEIVE, *_columns(once, times, self._delay_ms, self._rules))
        receipts = {
            row["signature"]: _Receipt(row["taken"], row["expired"], row["early"], row["lands_in_s"]) for row in rows
        }
        return [receipts[sending.signed.signature] for sending in sendings]

    async def _read_landings(self, signatures: Sequence[str]) -> list[Landing | None]:
        rows = await self._database.fetch(statements.LANDED, signatures, self._rules.finality_slots)
        found = {row["signature"]: _landing(row) for row in rows}
        for signature in found:
            self._hints.forget(signature)
        return [found.get(signature) for signature in signatures]


def _never_given_out() -> VenueError:
    return VenueError("blockhash_unknown", "the chain never gave out this blockhash", retryable=False)


def _columns(
    once: dict[str, _Sending], times: dict[str, int], delay_ms: float, rules: ChainRules
) -> tuple[object, ...]:
    sendings = list(once.values())
    messages = [sending.signed.message for sending in sendings]
    outputs = [sending.outcome.output_amount for sending in sendings]
    return (
        list(once),
        [sending.signed.order_id for sending in sendings],
        [message.wallet for message in messages],
        [message.venue for message in messages],
        [message.input_mint for message in messages],
        [message.output_mint for message in messages],
        [str(message.input_amount) for message in messages],
        [None if output is None else str(output) for output in outputs],
        [sending.outcome.error for sending in sendings],
        [sending.last_valid for sending in sendings],
        [sending.slot for sending in sendings],
        delay_ms,
        [times[signature] for signature in once],
        rules.valid_for,
        [sending.outcome.dropped for sending in sendings],
    )


def _landing(row: asyncpg.Record) -> Landing:
    output = row["output_amount"]
    return Landing(
        signature=row["signature"],
        slot=row["slot"],
        commitment=Commitment.FINALIZED if row["finalized"] else Commitment.CONFIRMED,
        output_amount=None if output is None else int(output),
        error=row["error"],
    )
