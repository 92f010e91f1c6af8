"""Where an engine is, and the key it is called with."""

from ipaddress import ip_address
from urllib.parse import SplitResult, urlencode, urlsplit

import httpx


class Address:
    """Base URL and API key of an engine.

    Raises:
        ValueError: the URL is not an http(s) URL, or the key has characters that no key has. The message shows no key.

    """

    def __init__(self, base_url: str, api_key: str | None = None) -> None:
        url = base_url.strip()
        parts = urlsplit(url)
        # urlsplit leaves out line breaks in the middle, and httpx escapes spaces in a host.
        if any(map(str.isspace, url)) or not _is_usable(parts):
            message = "the engine's URL must look like http://host:port"
            raise ValueError(message)
        key = (api_key or "").strip()
        if not all(33 <= ord(character) <= 126 for character in key):
            message = "the API key has characters that no key has"
            raise ValueError(message)
        self.api_key = key or None
        self._host = parts.hostname or ""
        # Scheme and host mean the same in any case; what is made of them below would not.
        login, at, host = parts.netloc.rpartition("@")
        self._base = parts._replace(netloc=f"{login}{at}{host.lower()}").geturl().rstrip("/")

    def __repr__(self) -> str:
        return f"Address({self._host!r})"

    @property
    def headers(self) -> dict[str, str]:
        """Headers that authenticate a request."""
        return {"Authorization": f"Bearer {self.api_key}"} if self.api_key else {}

    @property
    def is_loopback(self) -> bool:
        """Whether the engine is on this machine, where no proxy helps."""
        if self._host == "localhost":
            return True
        try:
            return ip_address(self._host).is_loopback
        except ValueError:
            return False

    def http(self, path: str) -> str:
        """Return the URL of a path."""
        return self._base + path

    def websocket(self, path: str, **query: object) -> str:
        """Return the WebSocket URL of a path; a parameter that is None is left out."""
        given = {name: str(value) for name, value in query.items() if value is not None}
        url = "ws" + self._base.removeprefix("http") + path
        return f"{url}?{urlencode(given)}" if given else url


def _is_usable(parts: SplitResult) -> bool:
    if parts.port == 0:  # reading a port that is no number raises ValueError
        return False
    try:
        httpx.URL(parts.geturl())
    except httpx.InvalidURL:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and not parts.query and not parts.fragment
