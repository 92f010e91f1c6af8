"""Hosts of settings: several and their one port, and those that nobody could look up."""

import pytest

from swaprail.settings import Settings, read_settings
from swaprail.usable_urls import addresses_of

SECRET = "hunter2secret"


@pytest.mark.parametrize(
    ("hosts", "asked"),
    [
        ("a,b", [("a", 6432), ("b", 6432)]),
        ("fd00::1,fd00::2", [("fd00::1", 6432), ("fd00::2", 6432)]),
        ("a,[fd00::2]", [("a", 6432), ("fd00::2", 6432)]),
        ("/run/a,b", ["/run/a/.s.PGSQL.6432", ("b", 6432)]),
    ],
)
def test_each_host_is_asked_at_the_one_port_when_several_are_named(hosts: str, asked: list[object]) -> None:
    dsn = Settings(_env_file=None, db_host=hosts, db_port=6432).dsn
    assert addresses_of(dsn) == asked
    assert "target_session_attrs=read-write" in dsn


@pytest.mark.parametrize("name", ["DB_HOST", "REDIS_HOST", "HOST"])
@pytest.mark.parametrize(
    ("host", "told"),
    [
        ("db:5432", "without its port"),
        ("postgresql://db", "is a URL"),
        ("db/x", "no space"),
        (f"{SECRET}@db", "no space"),
        ("postgres..svc", "1 to 63"),
        (f"{'a' * 64}.svc", "1 to 63"),
    ],
)
def test_a_host_is_refused_with_what_is_wrong_when_nobody_could_look_it_up(
    name: str, host: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, host)
    line = _refusal()
    assert line.startswith(f"{name}: ")
    assert told in line
    assert host not in line


@pytest.mark.parametrize(("name", "hosts"), [("DB_HOST", "a,,b"), ("REDIS_HOST", "a,b"), ("DB_HOST", "a, b")])
def test_a_list_of_hosts_is_refused_when_one_of_them_is_none(
    name: str, hosts: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, hosts)
    assert _refusal().startswith(f"{name}: ")


def _refusal() -> str:
    with pytest.raises(SystemExit) as refused:
        read_settings(Settings)
    (line,) = str(refused.value).splitlines()
    return line
