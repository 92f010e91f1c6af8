"""Real processes whose settings are refused: one line with the name, at once, and no value."""

import pytest

from tests.installations.processes import start
from tests.system.engine import MODULES

SECRET = "hunter2secret"
REFUSED = [
    ("DATABASE_URL", f"swap:{SECRET}@db/x"),
    ("DATABASE_URL", f"postgresql+asyncpg://swap:{SECRET}@db/x"),
    ("DATABASE_URL", f"postgresql://swap:{SECRET}/1@db/x"),
    ("REDIS_URL", f"redis://:{SECRET}@cache?protocol=3"),
    ("DB_PORT", SECRET),
]
# What is wrong with a value is found in one place for all; libs/local/tests/test_refused_settings.py tries every setting of each.
REFUSED_TOO = [
    ("DATABASE_URL", f"postgresql://swap:{SECRET}@db/x?sslmode=bogus"),
    ("REDIS_URL", f"redis://:{SECRET}@cache/abc"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", f"user:{SECRET}@collector:4318"),
    ("LOG_LEVEL", SECRET),
    ("DB_HOST", f"{SECRET}..svc"),
    ("DRAIN_TIMEOUT_S", "inf"),
]
PROCESSES = [*MODULES.values(), "swaprail.db.migrate"]
CASES = [(module, *case) for module in PROCESSES for case in REFUSED]
CASES += [(MODULES["api"], *case) for case in REFUSED_TOO]


@pytest.mark.parametrize(("module", "name", "value"), CASES)
def test_a_process_ends_with_one_line_when_a_setting_is_refused(module: str, name: str, value: str) -> None:
    code, told = start(module, {name: value})
    assert code != 0
    (line,) = told.splitlines()
    assert line.startswith(f"{name}: ")
    assert SECRET not in line


@pytest.mark.parametrize("module", MODULES.values())
def test_a_service_ends_with_one_line_when_nothing_can_listen_at_its_host(module: str) -> None:
    dead = {"DATABASE_URL": "postgresql://u@127.0.0.1:1/x", "REDIS_URL": "redis://127.0.0.1:1"}
    code, told = start(module, {"HOST": "no.such.host.invalid", **dead})
    assert code != 0
    assert told.splitlines()[-1].startswith("HOST=no.such.host.invalid: "), told
    assert "Traceback" not in told
