"""One database for all races, instead of one for each: every test puts its tables there as it needs them."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from swaprail_local.servers.postgres import EmbeddedPostgres
from tests.races.sessions import copy_database

NAME = "races"


@pytest.fixture(scope="session")
def arena(postgres_server: EmbeddedPostgres, database_template: str) -> str:
    """DSN of a migrated database whose clock can be stopped."""
    copying = copy_database(postgres_server.dsn, database_template, NAME, postgres_server.dsn_of(NAME))
    with ThreadPoolExecutor(1) as apart:
        apart.submit(asyncio.run, copying).result()
    return postgres_server.dsn_of(NAME)
