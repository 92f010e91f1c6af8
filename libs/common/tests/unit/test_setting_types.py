"""Kinds of settings: what is taken, and what is refused by the setting's name."""

import logging

import pytest
import structlog

from swaprail.settings import Settings, read_settings
from swaprail.telemetry.logging import configure_logging

SECRET = "hunter2secret"
COLLECTOR = "OTEL_EXPORTER_OTLP_ENDPOINT"


@pytest.mark.parametrize(
    "url",
    [
        f"user:{SECRET}@collector:4318",
        "collector:4317",
        f"http://user:{SECRET}/1@collector:4318",
        f"http://user:{SECRET}#1@collector:4318",
        f"http://user:{SECRET}\\@collector:4318",
        f"http://{SECRET}:port",
        f"grpc://user:{SECRET}@collector:4317",
        f"http://user:{SECRET}@",
        f"http://user:{SECRET}@collector..svc:4318",
        f"http://collector:4318?{SECRET}",
    ],
)
def test_a_collector_is_refused_untold_when_spans_could_not_be_sent_to_it(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(COLLECTOR, url)
    line = _refusal()
    assert line.startswith(f"{COLLECTOR}: ")
    assert SECRET not in line


@pytest.mark.parametrize("url", ["http://collector:4318", "https://u:p@collector.svc/otlp/", "http://[fd00::1]:4318"])
def test_a_collector_is_taken_when_it_speaks_http(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(COLLECTOR, url)
    assert read_settings(Settings).otlp_endpoint == url


@pytest.mark.parametrize("level", ["verbose", "trace", "20", SECRET])
def test_a_level_is_refused_when_there_is_none_of_that_name(level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", level)
    line = _refusal()
    assert line.startswith("LOG_LEVEL: ")
    assert level not in line


@pytest.mark.parametrize("level", ["debug", "Info", "WARNING", "warn", "ERROR", "critical", "NOTSET"])
def test_a_level_is_taken_in_any_case_when_logging_knows_it(level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", root.handlers)
    monkeypatch.setattr(root, "level", root.level)
    monkeypatch.setenv("LOG_LEVEL", level)
    configure_logging("test", read_settings(Settings).log_level, "json")
    structlog.reset_defaults()
    assert root.level == logging.getLevelNamesMapping()[level.upper()]


@pytest.mark.parametrize("seed", ["abc", SECRET, "zz" * 32, "ab" * 33])
def test_a_signing_seed_is_refused_untold_when_it_is_none(seed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAPER_SIGNER_SEED", seed)
    line = _refusal()
    assert line.startswith("PAPER_SIGNER_SEED: ")
    assert seed not in line


def _refusal() -> str:
    with pytest.raises(SystemExit) as refused:
        read_settings(Settings)
    (line,) = str(refused.value).splitlines()
    return line
