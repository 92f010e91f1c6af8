"""PostgreSQL and Valkey that want a password, behind TLS."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest
from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError

from swaprail.broker.connect import connect_redis
from swaprail.broker.keeper import Consumption, StreamKeeper
from swaprail.broker.streams import Received, make_broker, subscribe
from swaprail.db.connect import Database
from swaprail.db.migrate import migrate
from swaprail.db.schema import check_schema
from swaprail.domain.errors import EngineError
from swaprail.messages.topics import Group, OrdersAccepted, Topic
from swaprail.settings import Settings
from swaprail.testing.conditions import until
from swaprail.testing.tls import Certificate, make_certificate, tls_before_postgres, tls_before_redis
from swaprail_local.servers.postgres import EmbeddedPostgres
from swaprail_local.servers.valkey import EmbeddedValkey

PASSWORD = "p@ss/w:rd %"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="module")
def other_certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("other"), "127.0.0.2")


@pytest.fixture(scope="module")
def secured_postgres(server_home: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(server_home / "secured-postgres", durable=False)
    server.start()
    asyncio.run(_ask_for_passwords(server))
    yield server
    server.stop()


async def _ask_for_passwords(server: EmbeddedPostgres) -> None:
    connection = await asyncpg.connect(server.dsn)
    await connection.execute(f"create role engine login password '{PASSWORD}'")
    await connection.execute("create database swaprail owner engine")
    (server.data / "pg_hba.conf").write_text("host all all 127.0.0.1/32 scram-sha-256\n")
    await connection.execute("select pg_reload_conf()")
    await connection.close()


@pytest.fixture(scope="module")
def secured_valkey(server_home: Path) -> Iterator[EmbeddedValkey]:
    server = EmbeddedValkey(server_home / "secured-valkey", durable=False)
    server.start()
    asyncio.run(_refuse_strangers(server))
    yield server
    server.stop()


async def _refuse_strangers(server: EmbeddedValkey) -> None:
    async with Redis.from_url(server.url) as client:
        await client.acl_setuser(
            "engine", enabled=True, passwords=[f"+{PASSWORD}"], keys=["*"], channels=["*"], categories=["+@all"]
        )
        await client.acl_setuser("default", enabled=False)


@pytest.fixture
async def settings(
    secured_postgres: EmbeddedPostgres, secured_valkey: EmbeddedValkey, certificate: Certificate
) -> AsyncIterator[Any]:
    async with (
        tls_before_postgres(secured_postgres.port, certificate) as db_port,
        tls_before_redis(secured_valkey.port, certificate) as redis_port,
    ):

        def made(**changes: Any) -> Settings:
            given: dict[str, Any] = {
                "db_port": db_port,
                "db_user": "engine",
                "db_password": PASSWORD,
                "db_sslmode": "verify-full",
                "db_sslrootcert": certificate.file,
                "redis_port": redis_port,
                "redis_db": 3,
                "redis_username": "engine",
                "redis_password": PASSWORD,
                "redis_tls": True,
                "redis_ca_file": certificate.file,
            }
            return Settings(_env_file=None, **(given | changes))

        yield made


async def _database(settings: Settings) -> None:
    database = Database(settings.dsn, size=1, timeout_s=5, application="test")
    try:
        await check_schema(database)
    finally:
        await database.close()


async def test_migration_and_services_reach_the_database_when_it_wants_a_password_and_tls(settings: Any) -> None:
    await asyncio.to_thread(migrate, settings().dsn)
    await _database(settings())
    await _database(settings(db_sslmode="require", db_sslrootcert=None))


async def test_the_database_is_away_when_its_certificate_or_our_password_is_wrong(
    settings: Any, other_certificate: Certificate
) -> None:
    for changes, error in (
        ({"db_sslrootcert": other_certificate.file}, "SSLCertVerificationError"),
        ({"db_password": "wrong"}, "InvalidPasswordError"),
        ({"db_sslmode": "disable", "db_sslrootcert": None}, "Connection"),
    ):
        with pytest.raises(EngineError, match=error):
            await _database(settings(**changes))


async def test_the_name_is_checked_when_the_mode_is_verify_full(
    settings: Any, secured_postgres: EmbeddedPostgres, other_certificate: Certificate
) -> None:
    async with tls_before_postgres(secured_postgres.port, other_certificate) as port:
        known = {"db_port": port, "db_sslrootcert": other_certificate.file}
        await asyncio.to_thread(migrate, settings(**known, db_sslmode="verify-ca").dsn)
        with pytest.raises(EngineError, match="SSLCertVerificationError"):
            await _database(settings(**known))


async def test_topics_work_when_redis_wants_a_login_and_tls(settings: Any) -> None:
    broker, seen = make_broker(settings()), []

    async def take(received: Received[OrdersAccepted]) -> None:
        seen.append(received)

    consumption = Consumption(Topic.ACCEPTED, Group.ROUTER, OrdersAccepted)
    keeper = StreamKeeper(settings(), broker, "one", [consumption])
    subscribe(broker, Topic.ACCEPTED, OrdersAccepted, take, group=Group.ROUTER, consumer="one")
    await keeper.start()
    await keeper.check_redis()
    await broker.publish(msgspec.json.encode(OrdersAccepted([])), stream=str(Topic.ACCEPTED))
    await until(lambda: bool(seen))
    client = connect_redis(settings())
    assert await client.exists(str(Topic.ACCEPTED))  # in the database that was chosen
    await client.aclose()
    elsewhere = connect_redis(settings(redis_db=0))
    assert not await elsewhere.exists(str(Topic.ACCEPTED))
    await elsewhere.aclose()
    await keeper.stop_consuming()
    await keeper.stop()


async def test_redis_refuses_or_is_refused_when_login_or_certificate_is_wrong(
    settings: Any, other_certificate: Certificate
) -> None:
    for changes, error in (
        ({"redis_password": "wrong"}, AuthenticationError),
        ({"redis_username": "", "redis_password": ""}, (AuthenticationError, NoPermissionError)),
        ({"redis_ca_file": other_certificate.file}, RedisError),
        ({"redis_ca_file": None}, RedisError),
        ({"redis_tls": False, "redis_ca_file": None}, RedisError),
    ):
        client = connect_redis(settings(**changes))
        with pytest.raises((error, ssl.SSLError) if isinstance(error, type) else error):
            await client.ping()
        await client.aclose()
