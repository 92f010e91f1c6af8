"""One database for all races, instead of one for each: every test puts its tables there as it needs them."""

import pytest

from swaprail_local.servers.postgres import EmbeddedPostgres
from tests.races.sessions import make_arena


@pytest.fixture(scope="session")
def arena(postgres_server: EmbeddedPostgres, database_template: str) -> str:
    """DSN of a migrated database whose clock can be stopped."""
    return make_arena(postgres_server, database_template)
