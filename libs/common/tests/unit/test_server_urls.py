"""URLs of servers: what is understood, and what is refused by name."""

from typing import Any

import pytest
from pydantic import ValidationError

from swaprail.settings import Settings, read_settings

SECRET = "hunter2secret"
POSTGRES = "postgresql://u:p@db/x"


def settings(**given: Any) -> Settings:
    return Settings(_env_file=None, **given)


@pytest.mark.parametrize(
    ("given", "dsn"),
    [
        ({"db_host": "::1"}, "postgresql://postgres@[::1]:5432/swaprail"),
        ({"db_host": "2001:db8::7", "db_port": 6432}, "postgresql://postgres@[2001:db8::7]:6432/swaprail"),
        (
            {"db_host": "/cloudsql/a:b:c", "db_password": "s/e@c"},
            "postgresql://postgres:s%2Fe%40c@/swaprail?host=%2Fcloudsql%2Fa%3Ab%3Ac&port=5432",
        ),
        ({"database_url": "postgres://u@[::1]/x"}, "postgres://u@[::1]/x"),
        ({"database_url": "postgresql://u@a:1,b:2/x"}, "postgresql://u@a:1,b:2/x?target_session_attrs=read-write"),
        ({"db_host": "a,b"}, "postgresql://postgres@a:5432,b:5432/swaprail?target_session_attrs=read-write"),
        (
            {"db_host": "a,b", "db_port": 6432},
            "postgresql://postgres@a:6432,b:6432/swaprail?target_session_attrs=read-write",
        ),
        (
            {"database_url": "postgresql://u@a,b/x?target_session_attrs=primary"},
            "postgresql://u@a,b/x?target_session_attrs=primary",
        ),
        ({"database_url": "postgresql://u@/x?host=/var/run/postgresql"}, "postgresql://u@/x?host=/var/run/postgresql"),
        ({"database_url": f"{POSTGRES}?connect_timeout=5&channel_binding=prefer"}, POSTGRES),
        ({"database_url": f"{POSTGRES}?keepalives=1&keepalives_idle=9&gssencmode=disable"}, POSTGRES),
        ({"database_url": f"{POSTGRES}?application_name=a&sslmode=require"}, f"{POSTGRES}?sslmode=require"),
        (
            {"database_url": f"{POSTGRES}?connect_timeout=5&options=-c%20search_path%3Dengine"},
            f"{POSTGRES}?options=-c%20search_path%3Dengine",
        ),
    ],
)
def test_a_postgres_url_is_understood_when_libpq_would(given: dict[str, Any], dsn: str) -> None:
    assert settings(**given).dsn == dsn


@pytest.mark.parametrize(
    ("url", "told"),
    [
        (f"swap:{SECRET}@db/x", "is no URL"),
        (f"swap:{SECRET}@db.internal/swaprail", "is no URL"),
        (f"postgresql+asyncpg://u:{SECRET}@db/x", "not postgresql+asyncpg"),
        (f"postgresql://u:{SECRET}@/x", "names no host"),
        (f"postgresql://u:{SECRET}@db:port/x", "is no URL"),
        (f"postgresql://u:{SECRET}/with@db/x", "is no URL"),
        (f"postgresql://u:{SECRET}?with=1@db/x", "is no URL"),
        (f"postgresql://u:1?{SECRET}=1@db/x", "is no URL"),
        (f"postgresql://u:1#{SECRET}@db/x", "is no URL"),
        (f"postgresql://u:{SECRET}@::1/x", "is no URL"),
        (f"postgresql://u:{SECRET}@[::1/x", "is no URL"),
        (f"postgresql://u:{SECRET}@db/x?sslmode=require&sslmode=disable", "given twice"),
        (f"postgresql://u:{SECRET}@db/x?channel_binding=require", "channel_binding=require"),
        (f"postgresql://u:{SECRET}@db/x?pgbouncer=true", "pgbouncer"),
    ],
)
def test_a_postgres_url_is_refused_by_name_when_it_cannot_be_understood(
    url: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(SystemExit) as refused:
        read_settings(Settings)
    (line,) = str(refused.value).splitlines()
    assert line.startswith("DATABASE_URL: ")
    assert told in line
    assert SECRET not in line


@pytest.mark.parametrize(
    ("given", "dsn"),
    [
        ({"redis_host": "::1"}, "redis://[::1]:6379/0"),
        ({"redis_url": "rediss://:s@cache:6380/1?ssl_cert_reqs=none"}, "rediss://:s@cache:6380/1?ssl_cert_reqs=none"),
        ({"redis_url": "redis://cache?db=3"}, "redis://cache?db=3"),
    ],
)
def test_a_redis_url_is_understood_when_it_changes_nothing_of_the_engines(given: dict[str, Any], dsn: str) -> None:
    assert settings(**given).redis_dsn == dsn


@pytest.mark.parametrize(
    ("url", "told"),
    [
        (f"redis://:{SECRET}@cache?protocol=3", "protocol"),
        (f"redis://:{SECRET}@cache?socket_timeout=99", "socket_timeout"),
        (f"redis://:{SECRET}@cache?decode_responses=true", "decode_responses"),
        (f"unix://:{SECRET}@/run/redis.sock", "not unix"),
        (f"cache:{SECRET}", "is no URL"),
        (f"redis://:{SECRET}#1@cache", "is no URL"),
    ],
)
def test_a_redis_url_is_refused_by_name_when_it_cannot_be_kept(url: str, told: str) -> None:
    with pytest.raises(ValidationError, match="REDIS_URL") as refused:
        settings(redis_url=url)
    assert told in str(refused.value)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("name", ["DB_PORT", "DB_POOL_SIZE", "REDIS_TLS", "LOG_FORMAT", "LEASE_S", "PAPER_SEED"])
def test_a_setting_is_named_and_its_value_is_not_shown_when_it_is_refused(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, SECRET)
    with pytest.raises(SystemExit) as refused:
        read_settings(Settings)
    assert str(refused.value).startswith(f"{name}: ")
    assert SECRET not in str(refused.value)


def test_every_setting_that_is_refused_has_a_line_when_there_are_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_PORT", SECRET)
    monkeypatch.setenv("LEASE_S", "-1")
    with pytest.raises(SystemExit) as refused:
        read_settings(Settings)
    assert [line.partition(":")[0] for line in str(refused.value).splitlines()] == ["DB_PORT", "LEASE_S"]
