"""Settings of the router."""

from pydantic import Field

from swaprail.domain.orders import LONGEST_WAIT_S
from swaprail.settings import Settings


class RouterSettings(Settings):
    """What the router reads beyond the shared settings."""

    router_in_flight: int = Field(2000, ge=1, description="router: orders it quotes at once")
    router_quote_deadline_s: float = Field(1.0, gt=0, description="router: longest wait for the venues of one round")
    router_retry_s: float = Field(1.0, gt=0, description="router: first pause before asking again; doubles each round")
    router_retry_longest_s: float = Field(
        10.0, gt=0, le=LONGEST_WAIT_S, description="router: longest pause between rounds"
    )
    router_quote_max_age_s: float = Field(3.0, gt=0, description="router: an older quote is stale")
    router_max_price_impact_bps: int = Field(1000, ge=1, le=10_000, description="router: a quote above it is discarded")
    router_max_deviation_bps: int = Field(
        2000, ge=1, le=10_000, description="router: a quote further from the median of the others is absurd"
    )
    router_reference_max_age_s: float = Field(
        300.0,
        gt=0,
        description="router: how long a price that two venues agreed on bounds the quote of a venue that answers alone; "
        "without one, and without minOutputAmount, such a quote is not taken (price_unconfirmed), so with one venue never",
    )
    router_venue_rate_per_s: int = Field(
        0, ge=0, description="router: quotes per second and venue of all replicas together; 0: no limit"
    )
    router_breaker_failure_ratio: float = Field(
        0.5, gt=0, le=1, description="router: failures that open a venue's circuit"
    )
    router_breaker_window_s: float = Field(10.0, gt=0, description="router: time over which failures are counted")
    router_breaker_min_calls: int = Field(
        20, ge=1, description="router: fewer calls in the window never open a circuit"
    )
    router_breaker_open_s: float = Field(5.0, gt=0, description="router: how long an open circuit asks nothing")
    idempotency_retention_days: int = Field(7, ge=1, description="router: how long idempotency keys are kept")
