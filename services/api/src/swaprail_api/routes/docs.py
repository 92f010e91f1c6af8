"""The description of the API, and a page that shows it without any other server."""

from importlib.resources import files
from typing import Any

from swaprail_api.http.answers import Answer
from swaprail_api.http.endpoints import Endpoint
from swaprail_api.http.requests import Request, prefix_of
from swaprail_api.openapi import document

_HTML = (b"content-type", b"text/html; charset=utf-8")
_SERVER = b'"url": "%s"'
_POLICY = (
    b"content-security-policy",
    b"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'",
)


class DocsRoutes:
    """/docs."""

    def __init__(self) -> None:
        self._page = files("swaprail_api.docs").joinpath("page.html").read_bytes()
        self.document = b""

    def describe(self, endpoints: list[Endpoint]) -> None:
        """Keep the description of these routes."""
        self.document = document(endpoints)

    async def page(self, _request: Request) -> Answer:
        """Return the page."""
        return Answer(200, self._page, _HTML, (_POLICY,))

    async def description(self, request: Request) -> Answer:
        """Return the OpenAPI document; its server is the prefix that a proxy took from the path, if it says so."""
        prefix = prefix_of(dict(request.scope["headers"]))
        return Answer(200, self.document.replace(_SERVER % b"/", _SERVER % prefix, 1) if prefix else self.document)

    def endpoints(self) -> list[Endpoint]:
        """Return the routes."""
        return [
            Endpoint(
                method="GET",
                path="/docs",
                handle=self.page,
                summary="This description as a page",
                group="operations",
                scope=None,
                answers={200: ("The page", str)},
                media_type="text/html",
            ),
            Endpoint(
                method="GET",
                path="/docs/openapi.json",
                handle=self.description,
                summary="This description",
                group="operations",
                scope=None,
                answers={200: ("OpenAPI 3.1", dict[str, Any])},
            ),
        ]
