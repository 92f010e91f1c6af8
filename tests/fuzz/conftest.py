"""The engine that is fuzzed. A run is repeated by the seed that it prints: FUZZ_SEED, or pytest --hypothesis-seed."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from swaprail_local.servers.postgres import EmbeddedPostgres
from swaprail_local.servers.valkey import EmbeddedValkey
from tests.evidence import Figure, record
from tests.fuzz.served import fresh_database, serving
from tests.system.engine import Engine


@pytest.fixture(scope="session")
def seed() -> int:
    """The same each time unless FUZZ_SEED says otherwise."""
    return int(os.environ.get("FUZZ_SEED", "5"))


@pytest.fixture(scope="session")
def long_form() -> bool:
    """Whether this run is the one whose figures are recorded."""
    return os.environ.get("RECORD") == "1"


@pytest.fixture(scope="session")
def figures(request: pytest.FixtureRequest, seed: int, long_form: bool) -> Iterator[dict[str, Figure]]:
    """What the suites counted: printed, and kept if this was the long form and nothing failed."""
    found: dict[str, Figure] = {"seed": seed}
    yield found
    print(f"\nfuzz: {found}")
    if long_form and not request.session.testsfailed:
        record("fuzz", title="Fuzzing the API and the notifier", command="RECORD=1 make fuzz", figures=found)


@pytest.fixture(scope="module")
def engine(
    postgres_server: EmbeddedPostgres,
    database_template: str,
    valkey_server: EmbeddedValkey,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Engine]:
    home: Path = tmp_path_factory.mktemp("engine")
    with (
        fresh_database(postgres_server, database_template) as dsn,
        serving(dsn, valkey_server.url, home, ws_ticket_secret="t" * 32, api_keys_required=True) as engine,
    ):
        yield engine
