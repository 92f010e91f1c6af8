"""The paper chain's statements. Each reads the database's clock; all processes agree on it.

id = 1 tells the planner, which has no statistics of a table of one row, that there is one.
"""

# ruff: noqa: S608 - only constants of this package are put into the text

from swaprail.db.statements import named
from swaprail_venues.paper.clock import SLOT_MS

# Senders share it, whoever proves an expiry holds it alone: while a proof is read nothing is being received.
LEDGER_LOCK = 0x5A9_0002

_AGE_MS = "extract(epoch from clock_timestamp() - genesis_at) * 1000"
_SLOT = f"floor({_AGE_MS} / {SLOT_MS})::bigint"

# A signature that is known is only counted. An unknown one is taken if its blockhash has not expired and the outcome
# was computed for the slot it lands in, or the next to it; if it would land past its last height, or is to be dropped,
# it never lands. $14: for how many blocks a blockhash is valid.
RECEIVE = named(
    "paper_receive",
    f"""
with moment as materialized (
    select clock_timestamp() as at, {_AGE_MS} as age_ms
    from (select pg_advisory_xact_lock_shared({LEDGER_LOCK}) offset 0) as gate, paper.chain where id = 1
), judged as materialized (
    select given.*, at, floor(age_ms / {SLOT_MS})::bigint as height,
        floor((age_ms + $12::float8::numeric) / {SLOT_MS})::bigint as lands_in
    from moment, unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
        $9::text[], $10::bigint[], $11::bigint[], $13::int[], $15::bool[])
        as given (signature, order_id, wallet, venue, input_mint, output_mint, input_amount, output_amount,
            error, last_valid, slot, receipts, dropped)
), received as (
    insert into paper.transactions as t (signature, order_id, wallet, venue, input_mint, output_mint, input_amount,
        output_amount, error, received_at, receipts, lands_at, slot, last_valid_block_height)
    select signature, order_id, wallet, venue, input_mint, output_mint, input_amount::numeric,
        output_amount::numeric, error, at, receipts,
        case when greatest(lands_in, slot) <= last_valid and not dropped then at + $12::float8 * interval '1 millisecond' end,
        case when greatest(lands_in, slot) <= last_valid and not dropped then slot end,
        last_valid
    from judged
    where (height between last_valid - $14::bigint - 1 and last_valid and abs(lands_in - slot) <= 1)
        or exists (select from paper.transactions as known where known.signature = judged.signature)
    order by signature
    on conflict (signature) do update set receipts = t.receipts + excluded.receipts
    returning signature, lands_at
)
select signature, received.signature is not null as taken, height > last_valid as expired,
    height < last_valid - $14::bigint - 1 as early,
    (extract(epoch from lands_at - at))::float8 as lands_in_s
from judged left join received using (signature)
""",
)

LANDED = named(
    "paper_landings",
    f"""
select signature, slot, output_amount::text as output_amount, error, slot <= {_SLOT} - $2::bigint as finalized
from paper.transactions, paper.chain
where id = 1 and signature = any($1::text[]) and lands_at <= clock_timestamp()
""",
)

FINALIZED = named(
    "paper_finalized",
    f"select {_SLOT} - $1::bigint from paper.chain where id = 1",
)

LOCK_LEDGER = f"select pg_advisory_xact_lock({LEDGER_LOCK})"

# Full history: what has landed, and what was received and still will.
TRACE = f"""
select {_SLOT} as slot,
    exists (select from paper.transactions where signature = $1 and lands_at is not null) as traced
from paper.chain where id = 1
"""
