"""What the environment says of proxies and certificates, as httpx and websockets read it."""

import os
from importlib.util import find_spec
from typing import Any
from urllib.request import getproxies

import httpx

_PROXIES = ("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


def http_client(*, trust_env: bool, **options: Any) -> httpx.AsyncClient:
    """Return an HTTP client; ValueError names what of the environment it cannot use, and never its value."""
    if trust_env and "socks" in getproxies() and not find_spec("python_socks"):
        message = "SOCKS_PROXY cannot be used: WebSockets go through one only where the package python-socks is"
        raise ValueError(message)
    try:
        return httpx.AsyncClient(trust_env=trust_env, **options)
    except OSError as error:
        name = "SSL_CERT_FILE" if os.environ.get("SSL_CERT_FILE") else "SSL_CERT_DIR"
        message = f"{name} cannot be used: {error.strerror or 'it has no certificate'}"
    except (ImportError, ValueError, httpx.InvalidURL):
        message = (
            f"{_proxy_settings()} cannot be used: a proxy is http:// or https://, not socks://, "
            "and NO_PROXY has names, addresses and networks of IPv4"
        )
    raise ValueError(message)


def _proxy_settings() -> str:
    given = [name for name in _PROXIES if os.environ.get(name) or os.environ.get(name.lower())]
    return " or ".join(given) or "the environment"
