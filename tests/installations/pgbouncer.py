"""A PgBouncer before a database."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from swaprail.testing.conditions import until
from swaprail_local.servers.ports import free_port
from tests.installations.debian import program

# As few sessions as make its clients share each of them.
SESSIONS = 4
_CONFIGURATION = """
[databases]
{alias} = host={host} port={server_port} dbname={name} user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
default_pool_size = {sessions}
max_client_conn = 200
server_reset_query = DISCARD ALL
{run_as}
"""


@asynccontextmanager
async def pgbouncer(
    dsn: str, home: Path, *, mode: str, sessions: int = SESSIONS, name: str = "swaprail"
) -> AsyncIterator[str]:
    """Run one that hands out sessions or transactions (mode) of a database; yields the URL by which it is reached."""
    found = program("pgbouncer", "pgbouncer", "libc-ares2")
    url, port = urlsplit(dsn), free_port()
    text = _CONFIGURATION.format(
        host=url.hostname,
        server_port=url.port,
        name=url.path.strip("/"),
        user=url.username,
        port=port,
        mode=mode,
        alias=name,
        sessions=sessions,
        run_as="user = nobody" if os.geteuid() == 0 else "",
    )
    file, log = home / "pgbouncer.ini", home / "pgbouncer.log"
    file.write_text(text)
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            found.path, str(file), env=os.environ | found.environment, stdout=output, stderr=output
        )
    own = f"postgresql://{url.username}@127.0.0.1:{port}/{name}"

    async def answers() -> bool:
        assert process.returncode is None, log.read_text()
        try:
            connection = await asyncpg.connect(own, timeout=2)
        except OSError:
            return False
        await connection.close()
        return True

    try:
        await until(answers, within_s=10, what="PgBouncer answers")
        yield own
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), 10)
