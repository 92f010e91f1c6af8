"""No secret leaves the engine by logs, traces, metrics, answers, tables or topics, whatever goes wrong."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from swaprail.testing.conditions import until
from swaprail_local.servers.postgres import EmbeddedPostgres
from swaprail_local.servers.valkey import EmbeddedValkey
from tests.fuzz.served import FAST
from tests.invariants import check_invariants
from tests.invariants.secrets import find_secrets
from tests.security.canary import (
    Canaries,
    database_texts,
    lock_servers,
    log_texts,
    redis_texts,
    served_texts,
    trace_text,
)
from tests.security.canary_deeds import SEED, Guarded, all_ended, fail, misplace, work
from tests.system.collector import Collector
from tests.system.engine import Engine

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]


@pytest.fixture
async def guarded(server_home: Path, tmp_path: Path) -> AsyncIterator[Guarded]:
    postgres = EmbeddedPostgres(server_home / "canary-postgres", durable=False)
    valkey = EmbeddedValkey(tmp_path / "valkey", durable=False)
    collector, canaries = Collector(), Canaries(SEED)
    postgres.start()
    valkey.start()
    dsn, url = await lock_servers(postgres, valkey, canaries)
    secrets = {"cursor_secret": canaries.cursor, "ws_ticket_secret": canaries.ticket}
    traced = {"otel_exporter_otlp_endpoint": collector.endpoint, "trace_sample_ratio": 1}
    engine = Engine(
        dsn, url, tmp_path, log_level="DEBUG", paper_signer_seed=canaries.signer, api_keys_required=True, **FAST,
        **secrets, **traced,
    )  # fmt: skip
    try:
        await _migrate(engine)
        await engine.start()
        yield Guarded(engine, postgres, valkey, collector)
    finally:
        await asyncio.to_thread(engine.close)
        collector.close()
        valkey.stop()
        postgres.stop()


async def _migrate(engine: Engine) -> None:
    with engine.log("migrate").open("wb") as log:
        done = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "swaprail.db.migrate", env=engine.environment("api"), stdout=log, stderr=log
        )
        assert await done.wait() == 0


def _check_looked_at(guarded: Guarded, texts: dict[str, str]) -> None:
    """Raise AssertionError if some text is not the one that secrets would be in."""
    assert "InvalidPasswordError" in texts["executor-2.log"], "nobody had a wrong password"
    assert "not published; reconcilers will find the orders" in texts["api.log"], "nothing was away"
    assert '"debug"' in texts["api.log"]
    assert "POST /api/orders/execute" in texts["traces"]
    assert guarded.orders[0] in texts["table public.orders"]
    assert guarded.keys[0].split("_")[1] in texts["table public.api_keys"]
    assert "orders.events" in " ".join(texts)
    assert "swaprail_websocket_connections" in texts["notifier /metrics"]
    planted = [f"x{secret}x" for secret in guarded.secrets()]
    assert all(find_secrets([text], guarded.secrets()) for text in planted)


async def test_no_secret_leaves_the_engine_whatever_goes_wrong(guarded: Guarded) -> None:
    await work(guarded)
    await misplace(guarded)
    await fail(guarded)
    await all_ended(guarded)
    engine = guarded.engine
    await until(lambda: len(guarded.collector.spans) > 20, within_s=20, what="traces have arrived")
    texts = {**await served_texts(engine), **await database_texts(engine.dsn), **await redis_texts(engine.redis_url)}
    engine.close()
    texts |= {**log_texts(engine.home), "traces": trace_text(guarded.collector)}
    secrets = guarded.secrets()
    told = {name: find_secrets([text], secrets) for name, text in texts.items()}
    leaks = {name: found for name, found in told.items() if found}
    assert not leaks, leaks
    # A problem may name to its sender what the sender wrote; what he did not write is in none.
    settings = guarded.canaries.forms()
    assert not find_secrets(guarded.answers, settings)
    _check_looked_at(guarded, texts)
    await check_invariants(engine.dsn, guarded.orders, texts=list(texts.values()), secrets=secrets)
