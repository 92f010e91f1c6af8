"""The description of the API: whole, exact and always the same."""

import re
from typing import Any

import msgspec
import pytest

from swaprail_api.app import Api, build
from swaprail_api.settings import ApiSettings


@pytest.fixture(scope="module")
def api() -> Api:
    return build(ApiSettings(_env_file=None))


@pytest.fixture(scope="module")
def document(api: Api) -> dict[str, Any]:
    decoded: dict[str, Any] = msgspec.json.decode(api.openapi)
    return decoded


def test_document_is_the_same_when_built_again(api: Api) -> None:
    assert build(ApiSettings(_env_file=None)).openapi == api.openapi


def test_every_reference_leads_somewhere(api: Api, document: dict[str, Any]) -> None:
    named = set(re.findall(rb'"\$ref": "#/components/schemas/(\w+)"', api.openapi))
    assert named
    assert {name.decode() for name in named} <= set(document["components"]["schemas"])


def test_every_route_is_described_with_its_problems(api: Api, document: dict[str, Any]) -> None:
    for endpoint in api.endpoints:
        operation = document["paths"][endpoint.path][endpoint.method.lower()]
        assert operation["summary"]
        assert {str(status) for status in endpoint.answers} <= set(operation["responses"])
        if endpoint.scope is not None:
            assert {"400", "401", "403", "429", "500", "503"} <= set(operation["responses"])


def test_operations_have_names_of_their_own(document: dict[str, Any]) -> None:
    names = [op["operationId"] for path in document["paths"].values() for op in path.values()]
    assert len(set(names)) == len(names)


def test_only_operations_and_docs_are_open_to_everybody(api: Api) -> None:
    assert {endpoint.path for endpoint in api.endpoints if endpoint.scope is None} == {
        "/health",
        "/health/live",
        "/health/ready",
        "/health/started",
        "/metrics",
        "/docs",
        "/docs/openapi.json",
    }


def test_page_needs_no_other_server() -> None:
    from importlib.resources import files

    page = files("swaprail_api.docs").joinpath("page.html").read_text("utf-8")
    assert "://" not in page
    assert len(page) < 100_000
