"""Settings of the notifier."""

from pydantic import Field

from swaprail.auth.settings import AuthSettings
from swaprail.setting_types import Network, Networks, Origins, networks_of, origins_of


class NotifierSettings(AuthSettings):
    """What the notifier reads beyond the shared settings."""

    notifier_port: int = Field(
        3001, ge=0, le=65535, description="port of /ws where the notifier runs apart; 0: a free one"
    )
    ws_allowed_origins: Origins = Field(
        "",
        description="origins of pages that may open a WebSocket, separated by commas; "
        "development also allows the page's own host, and clients that are no browsers send none",
    )
    ws_trusted_proxies: Networks = Field(
        "", description="networks whose X-Forwarded-For is believed, separated by commas (10.0.0.0/8)"
    )
    ws_max_connections: int = Field(10_000, ge=1, description="WebSockets of one process")
    ws_max_connections_per_key: int = Field(2_000, ge=1, description="WebSockets of one API key, in one process")
    ws_max_connections_per_account: int = Field(
        4_000, ge=1, description="WebSockets of one account, in one process; a key may have a limit of its own"
    )
    ws_max_connections_per_ip: int = Field(
        1_000, ge=1, description="WebSockets of one address other than loopback, in one process"
    )
    ws_handshake_timeout_s: float = Field(5.0, gt=0, description="time from the upgrade request to its answer")
    ws_ping_interval_s: float = Field(25.0, gt=0, description="time between pings to a client")
    ws_pong_timeout_s: float = Field(10.0, gt=0, description="time in which a client answers a ping")
    ws_max_waiting_bytes: int = Field(262_144, ge=1024, description="unsent bytes at which a client is too slow")
    ws_max_waiting_messages: int = Field(256, ge=1, description="unsent messages at which a client is too slow")
    ws_compare_interval_s: float = Field(1.0, gt=0, description="how often followed orders are compared with the table")

    @property
    def allowed_origins(self) -> frozenset[str]:
        """The origins of ws_allowed_origins, as browsers write them."""
        return frozenset(origins_of(self.ws_allowed_origins))

    @property
    def trusted_proxies(self) -> tuple[Network, ...]:
        """The networks of ws_trusted_proxies."""
        return networks_of(self.ws_trusted_proxies)
