"""I8: the same key and request give the same order and the same bytes; another request under the key writes nothing.

I14: and what is stored is what was posted.
"""

from collections import defaultdict
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

CREATED = (201, 202)


class Receipt(NamedTuple):
    """A request posted with an Idempotency-Key, and its answer. account is what tells equal keys apart."""

    key: str
    request: bytes
    status: int
    body: bytes
    account: str = "local"


class _Order(msgspec.Struct, rename="camel"):
    order_id: str


class _Posted(msgspec.Struct, rename="camel"):
    """What of a request's body must be found in the table; slippage has a default, and is compared where it was given."""

    user_wallet: str
    input_amount: Decimal
    slippage_bps: int | None = None
    min_output_amount: Decimal | None = None


_UNLIKE_POSTED = """
select o.id::text as id from unnest($1::uuid[], $2::text[], $3::numeric[], $4::int[], $5::numeric[])
    as posted(id, wallet, amount, slippage, least) join orders o using (id)
where o.wallet <> posted.wallet or o.input_amount <> posted.amount * 10::numeric ^ o.input_decimals
    or o.slippage_bps <> posted.slippage
    or o.min_output_amount is distinct from posted.least * 10::numeric ^ o.output_decimals
"""


async def check_receipts(connection: Any, receipts: list[Receipt]) -> list[str]:
    by_key: dict[tuple[str, str], list[Receipt]] = defaultdict(list)
    for receipt in receipts:
        by_key[receipt.account, receipt.key].append(receipt)
    broken = [text for (_, key), own in by_key.items() for text in _differences(key, own)]
    return broken + await _unlike_table(connection, by_key) + await _unlike_posted(connection, receipts)


def _differences(key: str, receipts: list[Receipt]) -> list[str]:
    taken = [r for r in receipts if r.status in CREATED]
    broken = []
    if len({r.request for r in taken}) > 1:
        broken.append(f"I8 key {key} took {len({r.request for r in taken})} different requests")
    if len({(r.status, r.body) for r in taken}) > 1:
        broken.append(f"I8 key {key} was answered {len({r.body for r in taken})} different ways")
    return broken


async def _unlike_table(connection: Any, by_key: dict[tuple[str, str], list[Receipt]]) -> list[str]:
    """The key of an accepted request names that order; the one of a request never accepted may name any, or none."""
    answered = {place: _order_of(own) for place, own in by_key.items()}
    rows = await connection.fetch(
        """select k.account, k.key, k.order_id::text as id from unnest($1::text[], $2::text[]) as t(account, key)
           join idempotency_keys k using (account, key)""",
        [account for account, _ in answered],
        [key for _, key in answered],
    )
    stored = {(row["account"], row["key"]): row["id"] for row in rows}
    return [
        f"I8 key {key} was answered with {order_id} and names {stored.get((account, key))}"
        for (account, key), order_id in answered.items()
        if order_id is not None and stored.get((account, key)) != order_id
    ]


def _order_of(receipts: list[Receipt]) -> str | None:
    taken = [r for r in receipts if r.status in CREATED]
    return msgspec.json.decode(taken[0].body, type=_Order).order_id if taken else None


async def _unlike_posted(connection: Any, receipts: list[Receipt]) -> list[str]:
    posted: dict[str, _Posted] = {}
    for receipt in receipts:
        order_id = _order_of([receipt])
        _, brace, body = receipt.request.partition(b"{")  # a suite may have written the path before it
        if order_id is not None and b'"userWallet"' in body:
            posted[order_id] = msgspec.json.decode(brace + body, type=_Posted)
    bodies = list(posted.values())
    rows = await connection.fetch(
        _UNLIKE_POSTED,
        list(posted),
        [body.user_wallet for body in bodies],
        [body.input_amount for body in bodies],
        [body.slippage_bps for body in bodies],
        [body.min_output_amount for body in bodies],
    )
    return [f"I14 {row['id']} is not stored as it was posted" for row in rows]
