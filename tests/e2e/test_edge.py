"""What the ingress lets through, and what it does not."""

import httpx
import pytest


@pytest.mark.parametrize("path", ["/metrics", "/health/live", "/health/ready", "/", "/wsx", "/apix"])
async def test_it_is_not_reachable_from_outside_when_it_is_for_the_inside(http: httpx.AsyncClient, path: str) -> None:
    assert (await http.get(path)).status_code == 404


@pytest.mark.parametrize("path", ["/health", "/docs", "/docs/openapi.json"])
async def test_it_is_reachable_from_outside_when_it_is_for_clients(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(path)
    assert answer.status_code == 200


async def test_a_call_is_refused_when_it_brings_no_key(http: httpx.AsyncClient) -> None:
    answer = await http.get("/api/orders/user/alice", headers={"Authorization": ""})
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
