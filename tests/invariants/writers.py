"""I12: only the holder of an order's lease moves it. A trigger, which the engine knows nothing of, notes who does otherwise."""

from typing import Any

import asyncpg

# A worker's connections carry its name, as its leases do. Taking an order back (CANCELLED) is the owner's right at any
# time, and raises the fence. Leases travelling with a message are nobody's yet.
_WATCH = """
create schema if not exists watch;
create table if not exists watch.stale_writes (
    order_id uuid, writer text, holder text, was text, became text, fence bigint, at timestamptz default clock_timestamp()
);
create or replace function watch.note() returns trigger language plpgsql as $$
declare
    writer text := current_setting('application_name');
    held boolean := old.lease_owner is not null and old.lease_owner <> 'message'
        and old.lease_until > clock_timestamp() and strpos(writer, old.lease_owner) = 0;
begin
    if new.fence < old.fence or (held and new.status <> 'CANCELLED') then
        insert into watch.stale_writes
        values (old.id, writer, old.lease_owner, old.status, new.status, old.fence);
    end if;
    return null;
end $$;
create or replace trigger watch_writers after update on orders for each row execute function watch.note();
"""


async def watch_writers(dsn: str) -> None:
    """Begin to note who writes to orders; the workers' connections must carry their names."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(_WATCH)
    finally:
        await connection.close()


async def check_writers(connection: Any) -> list[str]:
    """Return the writes of workers that held no lease; none where nobody watched."""
    if not await connection.fetchval("select to_regclass('watch.stale_writes') is not null"):
        return []
    rows = await connection.fetch("select * from watch.stale_writes order by at")
    return [
        f"I12 {r['order_id']} {r['was']} -> {r['became']} by {r['writer']} while {r['holder']} held it" for r in rows
    ]
