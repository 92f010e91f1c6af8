"""Servers that refuse us, or that we refuse: each service says why, in their words, and with a cure where there is one."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import redis.asyncio as redis

from swaprail.testing.conditions import until
from swaprail.testing.tls import Certificate, make_certificate, tls_before_postgres, tls_before_redis
from swaprail_local.servers.valkey import EmbeddedValkey
from tests.installations.conftest import FAST
from tests.installations.orders import accepted_within, assert_few, confirmed_within
from tests.system.engine import SERVICES, Engine

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"]
_CURE = "keyCertSign"


class Authority:
    """A company's own: its certificate does not say what its key is for, as OpenSSL makes it when nobody asks."""

    def __init__(self, home: Path) -> None:
        home.mkdir()
        self.file, key = home / "authority.pem", home / "authority.key"
        plain = ["-addext", "basicConstraints=critical,CA:TRUE"]
        _openssl([*_KEY, "-subj", "/CN=authority", *plain, "-keyout", key, "-out", self.file])
        self.server = Certificate(home / "server.pem", home / "server.key")
        signed = ["-CA", self.file, "-CAkey", key, "-addext", "subjectAltName=IP:127.0.0.1"]
        signed += ["-addext", "basicConstraints=CA:FALSE"]
        _openssl([*_KEY, "-subj", "/CN=server", *signed, "-keyout", self.server.key, "-out", self.server.file])


def _openssl(options: list[Any]) -> None:
    done = subprocess.run(["openssl", "req", "-x509", *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority") / "ca")


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("elsewhere"), "127.0.0.2")


@pytest.fixture(scope="module")
def valkey(server_home: Path) -> Iterator[EmbeddedValkey]:
    server = EmbeddedValkey(server_home / "valkey-causes", durable=False)
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


async def _told(engine: Engine, words: str) -> None:
    """Return when each service has said these words."""
    await until(
        lambda: all(words in engine.log(name).read_text() for name in SERVICES),
        within_s=20,
        what=f"every service says {words!r}",
    )


def _few(engine: Engine) -> None:
    assert_few(
        {
            name: [line for line in engine.log(name).read_text().splitlines() if '"order_id"' not in line]
            for name in SERVICES
        }
    )


async def _goes_on_without(engine: Engine, words: str) -> None:
    """Redis decides on nothing: orders are taken and executed, by the database alone."""
    try:
        await engine.start()
        async with httpx.AsyncClient(base_url=engine.url, timeout=10) as client:
            order_id, _ = await accepted_within(client, 10)
            await confirmed_within(client, order_id, 30)
            assert (await client.get("/health")).json()["checks"]["redis"]["ok"] is False
        await _told(engine, words)
        _few(engine)
    finally:
        await asyncio.to_thread(engine.close)


@pytest.mark.parametrize(("certificate", "words"), [("own", _CURE), ("elsewhere", "not valid for '127.0.0.1'")])
async def test_orders_go_on_and_the_cause_is_told_when_the_certificate_of_redis_is_refused(
    database: str,
    valkey: EmbeddedValkey,
    authority: Authority,
    elsewhere: Certificate,
    tmp_path: Path,
    stack: AsyncExitStack,
    certificate: str,
    words: str,
) -> None:
    shown, believed = (authority.server, authority.file) if certificate == "own" else (elsewhere, elsewhere.file)
    port = await stack.enter_async_context(tls_before_redis(valkey.port, shown))
    engine = Engine(database, f"rediss://127.0.0.1:{port}/0", tmp_path, **FAST, redis_ca_file=believed)
    await _goes_on_without(engine, words)


@pytest.mark.parametrize(
    ("login", "words"), [("engine:wrong", "invalid username-password pair"), ("reader:secret", "no permissions")]
)
async def test_orders_go_on_and_the_cause_is_told_when_redis_refuses_us(
    database: str, valkey: EmbeddedValkey, tmp_path: Path, login: str, words: str
) -> None:
    async with redis.Redis.from_url(valkey.url) as client:
        await client.acl_setuser("reader", enabled=True, passwords=["+secret"], keys=["*"], categories=["+@connection"])
    engine = Engine(database, f"redis://{login}@127.0.0.1:{valkey.port}/0", tmp_path, **FAST)
    await _goes_on_without(engine, words)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ("certificate", "not valid for '127.0.0.1'"),
        ("role", "does not exist"),
        ("database", "does not exist"),
        ("port", "Connection refused"),
    ],
)
async def test_the_cause_is_told_once_when_the_database_is_not_to_be_had(
    database: str,
    redis_url: str,
    elsewhere: Certificate,
    tmp_path: Path,
    stack: AsyncExitStack,
    changed: str,
    words: str,
) -> None:
    at, name = urlsplit(database), urlsplit(database).path
    assert at.port is not None
    dsn = {
        "role": f"postgresql://nobody@127.0.0.1:{at.port}{name}",
        "database": f"postgresql://postgres@127.0.0.1:{at.port}/nowhere",
        "port": f"postgresql://postgres@127.0.0.1:1{name}",
    }.get(changed)
    settings: dict[str, Any] = FAST
    if dsn is None:
        port = await stack.enter_async_context(tls_before_postgres(at.port, elsewhere))
        dsn = f"postgresql://postgres@127.0.0.1:{port}{name}"
        settings = FAST | {"db_sslmode": "verify-full", "db_sslrootcert": elsewhere.file}
    engine = Engine(dsn, redis_url, tmp_path, **settings)
    try:
        for service in SERVICES:
            await asyncio.to_thread(engine.spawn, service)
        await _told(engine, words)
        assert not any(engine.is_ready(service) for service in SERVICES)
        _few(engine)
    finally:
        await asyncio.to_thread(engine.close)
