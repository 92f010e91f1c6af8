"""I4: nothing is sent that was not stored. I5: one live attempt an order, and the next one only with a proof."""

from typing import Any

_UNSTORED = """
select t.order_id::text as id from paper.transactions t
where not exists (select from tx_attempts a where a.signature = t.signature
    and a.order_id = t.order_id and a.created_at <= t.received_at)
"""
_UNPROVEN = """
select a.order_id::text as id, a.attempt from tx_attempts a join tx_attempts b
    on b.order_id = a.order_id and b.attempt > a.attempt where a.evidence is null
"""
_LIVE = """
select a.order_id::text as id from tx_attempts a join orders o on o.id = a.order_id
where a.state = 'LIVE' and o.closed_at is not null
"""
# An end without a swap: its last attempt was refused by the program, or is proven never to land.
_UNEXPLAINED = """
select o.id::text as id, o.status, a.state from orders o join tx_attempts a on a.order_id = o.id
where o.status in ('FAILED', 'EXPIRED') and a.attempt = o.attempts
    and not (a.state = 'REVERTED' or (a.state = 'EXPIRED' and a.evidence is not null))
"""
_UNLIKE_LEDGER = """
select a.order_id::text as id, a.attempt, a.state from tx_attempts a left join paper.transactions t
    on t.signature = a.signature and t.lands_at <= now()
where a.state <> 'LIVE' and a.state <> case
    when t.signature is null then 'EXPIRED' when t.error is null then 'LANDED' else 'REVERTED' end
"""
_UNCOUNTED = """
select o.id::text as id, o.attempts from orders o
where o.attempts <> (select count(*) from tx_attempts a where a.order_id = o.id)
"""


async def check_attempts(connection: Any) -> list[str]:
    unstored = await connection.fetch(_UNSTORED)
    unproven = await connection.fetch(_UNPROVEN)
    live = await connection.fetch(_LIVE)
    unexplained = await connection.fetch(_UNEXPLAINED)
    unlike = await connection.fetch(_UNLIKE_LEDGER)
    uncounted = await connection.fetch(_UNCOUNTED)
    return (
        [f"I4 {row['id']} sent before it was stored" for row in unstored]
        + [f"I5 {row['id']} attempt {row['attempt']} replaced without proof" for row in unproven]
        + [f"I5 {row['id']} closed with a live attempt" for row in live]
        + [f"I3 {row['id']} is {row['status']} and its last attempt {row['state']}" for row in unexplained]
        + [f"I3 {row['id']} attempt {row['attempt']} is {row['state']} unlike the ledger" for row in unlike]
        + [f"I5 {row['id']} does not count its {row['attempts']} attempts" for row in uncounted]
    )
