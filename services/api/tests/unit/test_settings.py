"""Settings of the API."""

import pytest

from swaprail.settings import MissingSettingsError
from swaprail_api.settings import ApiSettings


def test_production_refuses_when_the_cursor_secret_is_missing() -> None:
    with pytest.raises(MissingSettingsError, match="CURSOR_SECRET"):
        ApiSettings(_env_file=None, app_env="production", db_host="db", redis_host="redis")


def test_production_requires_keys_when_nothing_else_is_said() -> None:
    settings = ApiSettings(_env_file=None, app_env="production", db_host="db", redis_host="redis", cursor_secret="x")
    assert settings.api_keys_required
    assert not ApiSettings(_env_file=None).api_keys_required


def test_cursor_key_differs_when_the_secret_does() -> None:
    one, two = (ApiSettings(_env_file=None, cursor_secret=secret).cursor_key for secret in ("a", "b"))
    assert one != two
    assert len(one) == 32
