"""Settings of the services that face clients."""

from typing import Any

from pydantic import Field, SecretStr, field_validator

from swaprail.settings import AppEnv, Settings

_LEAST_SECRET = 32


def _is_production(data: dict[str, Any]) -> bool:
    return data.get("app_env") is AppEnv.PRODUCTION


class AuthSettings(Settings):
    """Settings with API keys and tickets."""

    api_keys_required: bool = Field(
        default_factory=_is_production,
        description="refuse calls without an API key; default: only in production. Without, everybody is account local",
    )
    ws_ticket_secret: SecretStr | None = Field(
        None,
        description="signs the one-time tickets by which browsers open a WebSocket, the same for API and notifier, "
        "at least 32 characters; unset: no tickets",
    )

    @field_validator("ws_ticket_secret")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None or not value.get_secret_value():
            return None
        if len(value.get_secret_value()) < _LEAST_SECRET:
            message = f"WS_TICKET_SECRET needs at least {_LEAST_SECRET} characters"
            raise ValueError(message)
        return value

    @property
    def ticket_secret(self) -> bytes | None:
        """The signing secret of tickets, or None when there are none."""
        return self.ws_ticket_secret.get_secret_value().encode() if self.ws_ticket_secret else None
