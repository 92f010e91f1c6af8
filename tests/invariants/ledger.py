"""I2: at most one executed swap an order. I3: the order says what the ledger says. I13: and the amounts are the ledger's."""

from typing import Any


async def check_ledger(connection: Any) -> list[str]:
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
    return broken + ([f"I1 {strays} executed transactions of no order"] if strays else [])


def _differs(row: Any) -> bool:
    return bool(row["got"] != row["output_amount"] or row["given"] != row["input_amount"])
