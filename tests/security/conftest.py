"""One engine for the tests of a module that read, and two accounts of it."""

import os
from collections.abc import Iterator

import pytest

from swaprail_local.servers.postgres import EmbeddedPostgres
from swaprail_local.servers.valkey import EmbeddedValkey
from tests.evidence import Figure, record
from tests.fuzz.served import fresh_database, serving
from tests.security.accounts import CURSOR_SECRET, MOST_WEBSOCKETS, TICKET_SECRET, Two
from tests.security.operations import guarded, ws_paths


@pytest.fixture(scope="session", autouse=True)
def recorded(request: pytest.FixtureRequest) -> Iterator[None]:
    """Keep what was shown, if RECORD=1 asks for it and nothing failed."""
    yield
    session = request.session
    if os.environ.get("RECORD") != "1" or session.testsfailed:
        return
    figures: dict[str, Figure] = {
        "tests": session.testscollected,
        "operations of the OpenAPI document tried by another account and by every set of scopes": len(guarded()),
        "WebSocket paths tried by another account": len(ws_paths()),
    }
    record("security", title="Security", command="RECORD=1 make security", figures=figures)


@pytest.fixture(scope="session")
def two(
    postgres_server: EmbeddedPostgres,
    database_template: str,
    valkey_server: EmbeddedValkey,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Two]:
    secrets = {"ws_ticket_secret": TICKET_SECRET, "cursor_secret": CURSOR_SECRET}
    limits = {
        "ws_allowed_origins": "https://app.example.com,https://b.example.com:8443",
        "ws_max_connections": MOST_WEBSOCKETS,
    }
    with (
        fresh_database(postgres_server, database_template) as dsn,
        serving(
            dsn, valkey_server.url, tmp_path_factory.mktemp("two"), api_keys_required=True, **secrets, **limits
        ) as engine,
    ):
        yield Two(engine)
