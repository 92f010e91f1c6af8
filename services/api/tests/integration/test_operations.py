"""Health, metrics and docs."""

from typing import Any

import pytest

ORDER = {"userWallet": "alice", "inputToken": "SOL", "outputToken": "USDC", "inputAmount": "1.5"}


async def test_everything_is_told_to_work_when_it_does(api: Any) -> None:
    report = (await api.get("/health")).json()
    assert report["ready"] is True
    assert {name: check["ok"] for name, check in report["checks"].items()} == {
        "database": True,
        "redis": True,
    }
    assert (await api.get("/health/ready")).status_code == 200
    assert (await api.get("/health/live")).json() == {"live": True}


async def test_metrics_name_routes_and_never_ids(api: Any) -> None:
    order_id = await api.place()
    await api.get(f"/api/orders/{order_id}")
    await api.get("/nope")
    await api.post("/api/orders", ORDER | {"inputToken": "DOGE"})
    metrics = (await api.get("/metrics")).text
    assert (
        'http_server_request_duration_seconds_count{http_request_method="GET",http_response_status_code="200",'
        'http_route="/api/orders/{orderId}"}'
    ) in metrics
    assert 'http_request_method="GET",http_response_status_code="404",http_route=""' in metrics
    assert 'swaprail_orders_submitted_total{order_type="waiting",result="accepted"}' in metrics
    assert 'swaprail_orders_rejected_total{reason="token_unknown"}' in metrics
    assert order_id not in metrics
    assert "alice" not in metrics


async def test_page_and_description_are_served(api: Any) -> None:
    page = await api.get("/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert (await api.get("/docs/openapi.json")).json()["openapi"] == "3.1.0"


@pytest.mark.parametrize(
    ("prefix", "server"), [("/swaps/v1", "/swaps/v1"), ("/swaps/", "/swaps"), ("//evil", "/"), ("", "/")]
)
async def test_the_description_names_its_server_when_a_proxy_tells_its_prefix(
    api: Any, prefix: str, server: str
) -> None:
    told = (await api.http.get("/docs/openapi.json", headers={"X-Forwarded-Prefix": prefix})).json()
    plain = (await api.get("/docs/openapi.json")).json()
    assert told["servers"] == [{"url": server}]
    assert told | {"servers": plain["servers"]} == plain
