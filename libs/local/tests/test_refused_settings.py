"""Every setting of every service with values that mean nothing: one line with its name, and never the value."""

from pathlib import Path
from typing import Any, Literal

import pytest

from swaprail.settings import Settings, read_settings
from swaprail_api.settings import ApiSettings
from swaprail_local.configuration import SECTIONS
from swaprail_notifier.settings import NotifierSettings

SECRET = "hunter2secret"
NO_NUMBERS = ["inf", "-inf", "nan", "1_0", SECRET, "1e400", "9" * 20]
# Any text will do, or it is looked at by who reads the file or connects.
FREE = {
    *("HOST", "DB_HOST", "DB_NAME", "DB_USER", "DB_PASSWORD", "REDIS_HOST", "REDIS_USERNAME", "REDIS_PASSWORD"),
    *("WORKER_NAME", "TOKENS_FILE", "DATA_DIR", "CURSOR_SECRET"),
}
SIGNED = {"PAPER_SEED"}
PROXIES = [(ApiSettings, "FORWARDED_ALLOW_IPS"), (NotifierSettings, "WS_TRUSTED_PROXIES")]
PAGES = [(ApiSettings, "API_ALLOWED_ORIGINS"), (NotifierSettings, "WS_ALLOWED_ORIGINS")]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # no .env


def _settings(kind: Literal["numbers", "others"]) -> list[tuple[type[Settings], str]]:
    return [
        (owner, str(field.validation_alias or name.upper()))
        for _, owner in SECTIONS
        for name, field in owner.model_fields.items()
        if (field.annotation in (int, float)) == (kind == "numbers")
    ]


@pytest.mark.parametrize(("owner", "name"), _settings("numbers"))
def test_a_number_is_refused_by_name_when_it_is_none_or_none_that_can_be_used(
    owner: type[Settings], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for value in (*NO_NUMBERS, *([] if name in SIGNED else ["-1"])):
        assert value not in _refusal(owner, name, value, monkeypatch)


@pytest.mark.parametrize(("owner", "name"), _settings("others"))
def test_a_setting_is_refused_by_name_when_its_value_means_nothing(
    owner: type[Settings], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name in FREE:
        monkeypatch.setenv(name, SECRET)
        read_settings(owner)
        return
    for value in ("inf", "1_0", "-1", SECRET):
        assert value not in _refusal(owner, name, value, monkeypatch).removeprefix(name)


@pytest.mark.parametrize(
    ("owner", "name"), [(owner, name) for owner, name in _settings("numbers") if name.endswith("_S")]
)
def test_a_time_is_refused_when_it_is_none_in_milliseconds(
    owner: type[Settings], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _refusal(owner, name, "0.0005", monkeypatch)


@pytest.mark.parametrize(("owner", "name"), PROXIES)
@pytest.mark.parametrize(
    "value", ["10.0.0.5/8", "10.0.0.1;10.0.0.2", SECRET, "localhost", "*, 10.0.0.1", "10.0.0.0/33"]
)
def test_proxies_are_refused_untold_when_one_is_no_network(
    owner: type[Settings], name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert value not in _refusal(owner, name, value, monkeypatch)


@pytest.mark.parametrize(("owner", "name"), PROXIES)
def test_proxies_are_taken_when_they_are_addresses_and_networks(
    owner: type[Settings], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "10.0.0.0/8, 192.168.1.7, fd00::/8")
    read_settings(owner)


@pytest.mark.parametrize(("owner", "name"), PAGES)
@pytest.mark.parametrize(
    "value",
    [
        "*",
        "app.example",
        "https://app.example/path",
        "https://*.x",
        "https://u:p@app.example",
        "https://bücher.example",
    ],
)
def test_origins_are_refused_when_no_browser_would_send_one(
    owner: type[Settings], name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _refusal(owner, name, value, monkeypatch)


@pytest.mark.parametrize(("owner", "name"), PAGES)
def test_origins_are_those_that_browsers_send_when_they_are_written_otherwise(
    owner: type[Any], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = "https://App.example:443, http://app.example:80/, https://app.example:8443, http://[::1]:443"
    given += ", chrome-extension://abcdef, capacitor://localhost"
    monkeypatch.setenv(name, given)
    assert set(read_settings(owner).allowed_origins) == {
        "https://app.example",
        "http://app.example",
        "https://app.example:8443",
        "http://[::1]:443",
        "chrome-extension://abcdef",
        "capacitor://localhost",
    }


def _refusal(owner: type[Settings], name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as refused:
        read_settings(owner)
    (line,) = str(refused.value).splitlines()
    assert line.startswith(f"{name}: ")
    return line
