"""Pages of other origins, which browsers let use the API only where it says so (Fetch, 3.2: the CORS protocol)."""

from collections.abc import Sequence

from litestar.config.cors import CORSConfig

_SENT = ["Authorization", "Content-Type", "Idempotency-Key", "Traceparent"]
_READ = [
    "Idempotency-Replayed",
    "Location",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "Retry-After",
    "WWW-Authenticate",
]


def cors_of(origins: Sequence[str]) -> CORSConfig | None:
    """Return what Litestar is to allow pages of these origins; None allows nothing. No cookie is ever looked at."""
    if not origins:
        return None
    return CORSConfig(
        allow_origins=list(origins),
        allow_methods=["GET", "POST", "DELETE"],
        allow_headers=_SENT,
        expose_headers=_READ,
    )
