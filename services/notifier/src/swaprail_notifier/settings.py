"""Settings of the notifier."""

from ipaddress import IPv4Network, IPv6Network, ip_network

from pydantic import Field, field_validator

from swaprail.auth.settings import AuthSettings

type Network = IPv4Network | IPv6Network


class NotifierSettings(AuthSettings):
    """What the notifier reads beyond the shared settings."""

    notifier_port: int = Field(
        3001, ge=0, le=65535, description="port of /ws where the notifier runs apart; 0: a free one"
    )
    ws_allowed_origins: str = Field(
        "",
        description="origins of pages that may open a WebSocket, separated by commas; "
        "development also allows the page's own host, and clients that are no browsers send none",
    )
    ws_trusted_proxies: str = Field(
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

    @field_validator("ws_trusted_proxies")
    @classmethod
    def _networks(cls, value: str) -> str:
        for name in _listed(value):
            ip_network(name)
        return value

    @property
    def allowed_origins(self) -> frozenset[str]:
        """The origins of ws_allowed_origins, in lower case."""
        return frozenset(name.lower().rstrip("/") for name in _listed(self.ws_allowed_origins))

    @property
    def trusted_proxies(self) -> tuple[Network, ...]:
        """The networks of ws_trusted_proxies."""
        return tuple(ip_network(name) for name in _listed(self.ws_trusted_proxies))


def _listed(value: str) -> list[str]:
    return [name.strip() for name in value.split(",") if name.strip()]
