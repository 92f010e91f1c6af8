from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import ValidationError

from swaprail.domain.orders import LONGEST_WAIT_S
from swaprail.messages.topics import HANDOVER_S
from swaprail.settings import Settings
from swaprail.testing.tls import make_certificate


def settings(**given: Any) -> Settings:
    return Settings(_env_file=None, **given)


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    return make_certificate(tmp_path).file.rename(tmp_path / "authority.pem")


def test_urls_carry_login_and_tls_when_they_are_set_one_by_one(authority: Path) -> None:
    made = settings(
        db_host="db",
        db_user="en gine",
        db_password="p@ss/word",
        db_sslmode="verify-full",
        db_sslrootcert=authority,
        redis_host="cache",
        redis_db=3,
        redis_username="engine",
        redis_password="s:e@c",
        redis_tls=True,
        redis_ca_file=authority,
    )
    database, cache = urlsplit(made.dsn), urlsplit(made.redis_dsn)
    assert (database.netloc, database.path) == ("en%20gine:p%40ss%2Fword@db:5432", "/swaprail")
    assert parse_qs(database.query) == {"sslmode": ["verify-full"], "sslrootcert": [str(authority)]}
    assert (cache.scheme, cache.netloc, cache.path) == ("rediss", "engine:s%3Ae%40c@cache:6379", "/3")
    assert parse_qs(cache.query) == {"ssl_ca_certs": [str(authority)]}


def test_urls_are_plain_when_nothing_is_set() -> None:
    assert settings().dsn == "postgresql://postgres@127.0.0.1:5432/swaprail"
    assert settings().redis_dsn == "redis://127.0.0.1:6379/0"


def test_a_password_alone_names_no_redis_user() -> None:
    assert settings(redis_password="secret").redis_dsn == "redis://:secret@127.0.0.1:6379/0"


def test_tls_joins_a_url_that_says_nothing_of_it_and_no_other(authority: Path) -> None:
    url = "postgresql://u@db/x"
    assert settings(database_url=url, db_sslmode="require").dsn == f"{url}?sslmode=require"
    checked = f"{url}?sslmode=verify-ca&sslrootcert={authority}"
    assert settings(database_url=checked, db_sslmode="require").dsn == checked
    cache = settings(redis_url="rediss://cache:6380/1", redis_ca_file=authority).redis_dsn
    assert cache.startswith("rediss://cache:6380/1?ssl_ca_certs=")


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"db_sslrootcert": "authority.pem"}, "DB_SSLMODE=prefer"),
        ({"database_url": "postgresql://db/x?sslmode=allow", "db_sslrootcert": "authority.pem"}, "DB_SSLMODE=allow"),
        ({"redis_ca_file": "authority.pem"}, "REDIS_TLS"),
        ({"redis_url": "redis://cache", "redis_ca_file": "authority.pem"}, "rediss://"),
        ({"db_sslmode": "verify-full", "db_sslrootcert": "missing.pem"}, "db_sslrootcert"),
        ({"db_sslmode": "sometimes"}, "db_sslmode"),
    ],
)
def test_settings_are_refused_when_a_certificate_would_not_be_checked(
    given: dict[str, str], named: str, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(authority.parent)
    with pytest.raises(ValidationError, match=named):
        settings(**given)


def test_secrets_are_not_shown_when_settings_are_printed() -> None:
    shown = repr(settings(db_password="hidden-1", redis_password="hidden-2", redis_url="redis://:hidden-3@cache"))
    assert "hidden" not in shown


def test_a_lease_is_refused_when_it_is_longer_than_an_order_may_be_held() -> None:
    assert settings(lease_s=LONGEST_WAIT_S).lease_s == LONGEST_WAIT_S
    with pytest.raises(ValidationError):
        settings(lease_s=LONGEST_WAIT_S + 0.1)
    assert HANDOVER_S < LONGEST_WAIT_S
