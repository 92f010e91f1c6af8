"""The paper chain's ledger, which lies in the database that fails over: no real chain forgets what it received there."""

from tests.faults.standby.node import Connection

_READ = "select coalesce(jsonb_agg(t), '[]')::text from paper.transactions t"
_WRITE = """
insert into paper.transactions select * from jsonb_populate_recordset(null::paper.transactions, $1::text::jsonb)
on conflict do nothing
"""


async def read_ledger(lost: Connection) -> str:
    """Return all transactions, those included that no standby has acknowledged."""
    return str(await lost.fetchval(_READ))


async def write_ledger(promoted: Connection, ledger: str) -> None:
    """Add those that are not there."""
    await promoted.execute(_WRITE, ledger)
