import re
from pathlib import Path

import pytest

from swaprail_local.check_settings import SettingsRefusedError, check_settings
from swaprail_local.configuration import env_example, reference_page, sections

CHECKOUT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # no .env
    for name in ("DATABASE_URL", "DB_HOST", "REDIS_URL", "REDIS_HOST", "PORT"):
        monkeypatch.delenv(name, raising=False)


def test_the_written_files_are_current_when_compared_with_the_settings() -> None:
    hint = "run 'make docs' and commit the result"
    assert (CHECKOUT / ".env.example").read_text() == env_example(), hint
    assert (CHECKOUT / "docs" / "configuration.md").read_text() == reference_page(), hint


def test_every_setting_is_described_once() -> None:
    settings = [setting for _, part in sections() for setting in part]
    assert all(setting.description for setting in settings)
    assert len({setting.name for setting in settings}) == len(settings)


def test_secrets_are_empty_when_written() -> None:
    secrets = re.findall(r"^#(\w*(?:SECRET|PASSWORD|_URL)\w*)=(.*)$", env_example(), re.MULTILINE)
    assert {"DB_PASSWORD", "CURSOR_SECRET", "DATABASE_URL"} <= {name for name, _ in secrets}
    assert not any(value for _, value in secrets)


def test_nothing_changes_when_the_example_is_copied(tmp_path: Path) -> None:
    before = check_settings()
    (tmp_path / ".env").write_text(env_example())
    assert check_settings() == before


def test_servers_are_embedded_unless_others_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "")
    assert check_settings().embeds_postgres
    monkeypatch.setenv("DB_HOST", "db.example")
    assert not check_settings().embeds_postgres
    assert check_settings().embeds_valkey
    monkeypatch.setenv("REDIS_URL", "redis://cache.example:6379/0")
    assert not check_settings().embeds_valkey


def test_all_missing_settings_are_named_at_once_when_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_ENV", "production")
    with pytest.raises(
        SettingsRefusedError, match="DATABASE_URL or DB_HOST, REDIS_URL or REDIS_HOST, CURSOR_SECRET, PAPER_SIGNER_SEED"
    ):
        check_settings()


def test_all_wrong_settings_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "99999999")
    monkeypatch.setenv("MOCK_DEX_FAILURE_RATE", "3")
    with pytest.raises(SettingsRefusedError, match=r"(?s)MOCK_DEX_FAILURE_RATE.*PORT"):
        check_settings()
