"""What was executed, by the chain's ledger: how often (I2), as told (I3), with which amounts (I13), as ordered (I14), in time (I15)."""

from typing import Any

# Money moved for an order that says "no", or did not for one that says "yes". "unknown" claims nothing.
_FUNDS = """
select o.id::text as id, o.status, o.failure->>'fundsMoved' as told, count(t.signature) > 0 as moved
from orders o left join paper.transactions t on t.order_id = o.id and t.lands_at <= now() and t.error is null
where o.failure is not null
group by o.id having o.failure->>'fundsMoved' <> 'unknown'
    and (o.failure->>'fundsMoved' = 'yes') <> (count(t.signature) > 0)
"""
# Whatever the chain was sent, landed or not: a swap of another order's terms must not even be signed.
_NOT_AS_ORDERED = """
select o.id::text as id, t.signature from paper.transactions t join orders o on o.id = t.order_id
where (t.wallet, t.input_mint, t.output_mint, t.input_amount)
    is distinct from (o.wallet, o.input_mint, o.output_mint, o.input_amount)
"""
_TOO_LITTLE = """
select o.id::text as id, t.output_amount as got, o.min_output_amount as least
from paper.transactions t join orders o on o.id = t.order_id
where t.error is null and t.lands_at is not null and t.output_amount < o.min_output_amount
"""
# A submission that began before the order's time was over may still be on its way for as long as a send may take.
_TOO_LATE = """
select o.id::text as id, t.received_at - o.expires_at as late from paper.transactions t join orders o on o.id = t.order_id
where t.received_at > o.expires_at + interval '2 seconds'
"""


async def check_ledger(connection: Any) -> list[str]:
    """Hold orders against the ledger; the order table is the one that is judged."""
    rows = await connection.fetch(
        """
        select o.id::text, o.status, o.input_amount, o.output_amount, count(t.signature) as landed,
            max(t.input_amount) as given, max(t.output_amount) as got
        from orders o left join paper.transactions t
            on t.order_id = o.id and t.lands_at <= now() and t.error is null
        group by o.id
        """
    )
    broken = [f"I2 {r['id']} executed {r['landed']} times" for r in rows if r["landed"] > 1]
    broken += [
        f"I3 {r['id']} is {r['status']} and landed {r['landed']} times"
        for r in rows
        if (r["status"] == "CONFIRMED") != (r["landed"] == 1)
    ]
    broken += [f"I13 {r['id']} differs in its amounts" for r in rows if r["landed"] == 1 and _differs(r)]
    strays = await connection.fetchval(
        "select count(*) from paper.transactions t where not exists (select from orders o where o.id = t.order_id)"
    )
    broken += await _check_terms(connection)
    return broken + ([f"I1 {strays} executed transactions of no order"] if strays else [])


async def _check_terms(connection: Any) -> list[str]:
    funds = await connection.fetch(_FUNDS)
    other = await connection.fetch(_NOT_AS_ORDERED)
    little = await connection.fetch(_TOO_LITTLE)
    late = await connection.fetch(_TOO_LATE)
    return (
        [f"I3 {r['id']} is {r['status']}, says funds moved: {r['told']}, and the ledger {r['moved']}" for r in funds]
        + [f"I14 {r['id']} was sent as another swap than ordered: {r['signature']}" for r in other]
        + [f"I14 {r['id']} got {r['got']}, and asked for {r['least']} at least" for r in little]
        + [f"I15 {r['id']} reached the chain {r['late']} after its time" for r in late]
    )


def _differs(row: Any) -> bool:
    return bool(row["got"] != row["output_amount"] or row["given"] != row["input_amount"])
