"""URLs of servers that their clients could not use: refused at start, for they would fail of them for ever."""

import re
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio.connection import ConnectionPool

from swaprail.settings import Settings, read_settings
from swaprail.testing.tls import make_certificate

SECRET = "hunter2secret"


@pytest.mark.parametrize(
    ("query", "told"),
    [
        (f"sslmode={SECRET}", "sslmode is one of disable"),
        (f"target_session_attrs={SECRET}", "target_session_attrs is one of any"),
        (f"ssl_min_protocol_version={SECRET}", "ssl_min_protocol_version is one of TLSv1"),
        ("ssl_max_protocol_version=TLSv1.1", "is below"),
        (f"sslnegotiation={SECRET}", "sslnegotiation is one of postgres"),
        ("sslnegotiation=direct", "needs an sslmode"),
        (f"gsslib={SECRET}", "gsslib is one of"),
        ("sslmode=verify-full", "DB_SSLROOTCERT"),
        ("sslmode=verify-full&sslrootcert=system", "sslrootcert=system"),
        ("sslmode=verify-full&sslrootcert=/nope.pem", "sslrootcert: /nope.pem: No such file"),
        ("sslmode=require&sslcert=/nope.pem", "sslcert: /nope.pem: No such file"),
        ("sslmode=verify-full&sslrootcert=/dev/null", "sslrootcert: /dev/null holds no certificates"),
        ("sslmode=require&sslcert=/dev/null", "sslcert: /dev/null and its key"),
        ("host=a&port=hunter2secret", "asyncpg does not take it"),
        ("host=a,b,c&port=1,2", "as many ports as hosts"),
        ("host=a..b", "1 to 63"),
    ],
)
def test_a_postgres_url_is_refused_when_every_connection_would_fail_of_it(
    query: str, told: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))  # no ~/.postgresql/root.crt
    where = "" if query.startswith("host") else "db"
    monkeypatch.setenv("DATABASE_URL", f"postgresql://u:{SECRET}@{where}/x?{query}")
    line = _refusal()
    assert line.startswith("DATABASE_URL: ")
    assert told in line
    assert SECRET not in line


@pytest.mark.parametrize("hosts", ["a,,b", ":5432", "a,:1", "postgres..svc"])
def test_a_postgres_url_is_refused_when_a_host_is_missing_in_it(hosts: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", f"postgresql://u:{SECRET}@{hosts}/x")
    line = _refusal()
    assert line.startswith("DATABASE_URL: ")
    assert SECRET not in line


def test_verify_full_is_refused_when_nothing_says_what_is_believed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DB_SSLMODE", "verify-full")
    assert re.match("DB_SSLMODE: .*DB_SSLROOTCERT", _refusal())


@pytest.mark.parametrize("name", ["DB_SSLROOTCERT", "REDIS_CA_FILE"])
@pytest.mark.parametrize(("file", "told"), [("/dev", "file"), ("/nope.pem", "file"), ("key.pem", "no certificates")])
def test_a_file_of_authorities_is_refused_when_it_holds_none(
    name: str, file: str, told: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(make_certificate(tmp_path).key.parent)
    monkeypatch.setenv(name, file)
    line = _refusal()
    assert line.startswith(f"{name}: ")
    assert told in line


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("redis://c?ssl_cert_reqs=none", "rediss://"),
        ("redis://c?ssl_ca_certs=/nope.pem", "rediss://"),
        ("rediss://c?ssl_ca_certs=/nope.pem", "ssl_ca_certs: /nope.pem: No such file"),
        ("rediss://c?ssl_ca_certs=/dev/null", "ssl_ca_certs: /dev/null holds no certificates"),
        ("rediss://c?ssl_ca_path=/nope", "ssl_ca_path: /nope is no directory"),
        ("rediss://c?ssl_certfile=/nope.pem", "ssl_certfile: /nope.pem: No such file"),
        ("rediss://c?ssl_keyfile=/nope.pem", "without ssl_certfile"),
        ("rediss://c?ssl_cert_reqs=CERT_NONE", "ssl_cert_reqs is one of none"),
        ("redis://a:6379,b:6379/0", "several hosts"),
        ("redis://c?db=abc", "number of a database"),
        ("redis://c/abc", "number of a database"),
        ("redis://c/1/2", "number of a database"),
        ("redis://:6379", "names no host"),
        ("redis://cache..svc", "1 to 63"),
    ],
)
def test_a_redis_url_is_refused_when_no_connection_could_be_made_of_it(
    url: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", url)
    line = _refusal()
    assert line.startswith("REDIS_URL: ")
    assert told in line


@pytest.mark.parametrize(
    ("query", "database"),
    [("", 0), ("/", 0), ("/7", 7), ("?db=3", 3), ("?ssl_cert_reqs=none", 0), ("/1?client_name=a", 1)],
)
def test_redis_makes_a_connection_of_every_url_that_is_not_refused(query: str, database: int) -> None:
    dsn = Settings(_env_file=None, redis_url=f"rediss://u:{SECRET}@cache:6380{query}").redis_dsn
    connection: Any = ConnectionPool.from_url(dsn).make_connection()  # type: ignore[no-untyped-call]
    assert (connection.host, connection.port, connection.db) == ("cache", 6380, database)
    assert connection.ssl_context.get()


def _refusal() -> str:
    with pytest.raises(SystemExit) as refused:
        read_settings(Settings)
    (line,) = str(refused.value).splitlines()
    return line
