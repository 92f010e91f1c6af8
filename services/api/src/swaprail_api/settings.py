"""Settings of the API."""

import hashlib
from typing import Any

from pydantic import Field, SecretStr

from swaprail.auth.settings import AuthSettings
from swaprail.setting_types import NetworksOrAll, Origins, origins_of


def _default_rate(data: dict[str, Any]) -> int:
    return 200 if data.get("api_keys_required") else 0


class ApiSettings(AuthSettings):
    """Settings of HTTP intake and reads."""

    port: int = Field(3000, ge=0, le=65535, description="port of the API; 0 picks a free one")
    forwarded_allow_ips: NetworksOrAll = Field(
        "127.0.0.1", description="proxies whose X-Forwarded-For is believed; * for all"
    )
    api_allowed_origins: Origins = Field(
        "",
        description="origins of pages that may use the API, separated by commas (https://app.example); see also "
        "WS_ALLOWED_ORIGINS. Empty: pages of the API's own origin alone",
    )
    cursor_secret: SecretStr = Field(SecretStr(""), description="signs the cursors of lists, the same for all replicas")
    idempotency_key_required: bool = Field(False, description="refuse new orders without an Idempotency-Key")
    read_pool_size: int = Field(3, ge=1, le=64, description="connections for reads, apart from those of the writers")
    request_timeout_s: float = Field(1.7, gt=0, description="longest wait of a request for the database")
    body_timeout_s: float = Field(10.0, gt=0, description="longest wait for the body of a request")
    keep_alive_s: int = Field(
        120,
        ge=1,
        description="how long an idle connection is kept; longer than a proxy keeps it (Traefik 90 s, many load balancers "
        "60 s), or the proxy sends a request into a connection that closes and answers 502",
    )
    quotes_timeout_s: float = Field(3.0, gt=0, description="longest wait of GET /api/quotes for the router")
    max_open_orders: int = Field(
        50_000, ge=1, description="open orders of the whole engine above which new ones get 503"
    )
    account_open_orders: int = Field(
        2_000,
        ge=1,
        description="open orders of an account above which its new ones get 429; a key may have its own limit",
    )
    account_waiting_orders: int = Field(10_000, ge=1, description="the same of orders that wait to be executed")
    account_concurrent_reads: int = Field(
        2, ge=1, description="reads of an account that one process runs at once; further ones wait"
    )
    rate_limit: int = Field(
        default_factory=_default_rate,
        ge=0,
        description="requests that an account (without a key: an address) may make a window; 0: any. Default: 200 where "
        "keys are required, else any",
    )
    rate_limit_window_s: int = Field(1, ge=1, le=3600, description="length of the rate limit's window")

    def required_in_production(self) -> list[tuple[str, ...]]:
        """Names of the environment variables that production must set."""
        return [*super().required_in_production(), ("CURSOR_SECRET",)]

    @property
    def allowed_origins(self) -> list[str]:
        """The origins of api_allowed_origins, as browsers write them."""
        return origins_of(self.api_allowed_origins)

    @property
    def cursor_key(self) -> bytes:
        """The key that signs cursors; development derives one, so that cursors outlive a restart."""
        given = self.cursor_secret.get_secret_value()
        return hashlib.sha256(f"swaprail cursor {given}".encode()).digest()
