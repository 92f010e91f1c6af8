"""One PostgreSQL for all the forks: to make it, and to migrate a database, takes longer than most tests."""

import asyncio
import os
import shutil
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from swaprail_local.servers.postgres import EmbeddedPostgres

TEMPLATE = "swaprail_template"  # as tests/postgres.py has it, which would import what is mutated
_OURS = ("postgres", "template0", "template1", TEMPLATE)


class KeptPostgres:
    """A plug-in of pytest: gives the server in the place of those that conftest.py would start."""

    def __init__(self, server: EmbeddedPostgres) -> None:
        self.server = server
        self._kept: dict[str, object] = {"postgres_server": server, "database_template": TEMPLATE}

    @pytest.hookimpl(tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any], request: Any) -> object | None:
        kept = self._kept.get(fixturedef.argname)
        if kept is not None:
            fixturedef.cached_result = kept, fixturedef.cache_key(request), None
        return kept

    def forget(self) -> None:
        """Drop what an earlier run, killed in the middle perhaps, has left."""
        asyncio.run(self._forget())

    async def _forget(self) -> None:
        connection = await asyncpg.connect(self.server.dsn, timeout=10)
        left = await connection.fetch("select datname from pg_database where datname <> all($1)", _OURS)
        for row in left:
            await connection.execute(f'drop database "{row["datname"]}" with (force)')
        await connection.close()


@contextmanager
def kept_postgres() -> Iterator[KeptPostgres]:
    """Start the server, with the database that all others are copied from."""
    home = Path(tempfile.mkdtemp(prefix="swaprail-forks-"))
    home.chmod(0o755)
    server = EmbeddedPostgres(home / "postgres", durable=False)
    server.start()
    try:
        _prepare(server)
        yield KeptPostgres(server)
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)


def _prepare(server: EmbeddedPostgres) -> None:
    """Make the template in a fork: the tree's own modules are not to be imported here."""
    child = os.fork()
    if not child:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        code = 1
        try:
            from tests.postgres import make_template

            make_template(server)
            code = 0
        except Exception:  # noqa: BLE001 - it is told, and the fork ends here
            traceback.print_exc()
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0, "the migrations failed"
