"""What a platform team sees: every series, panel, alert and trace of a running release."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.cluster.access import Kubernetes
from tests.e2e.cluster.names import CHART, COLLECTOR, NAMESPACE, SERVICES, WS_URL
from tests.e2e.conditions import until
from tests.e2e.prometheus import ask, query
from tests.e2e.traffic import Traffic
from tests.system.subscribers import Subscriber
from tests.system.trace_edges import EDGES

DASHBOARDS = sorted((CHART / "dashboards").glob("*.json"))
VARIABLES = {"$namespace": NAMESPACE, "$__rate_interval": "1m", "$__range": "5m", "$__interval": "10s"}


def _panels(dashboard: Path) -> list[Any]:
    board = json.loads(dashboard.read_text())
    rows = [inner for panel in board["panels"] for inner in panel.get("panels", [])]
    return [panel for panel in (*board["panels"], *rows) if panel.get("targets")]


def _filled(expression: str) -> str:
    for name, value in VARIABLES.items():
        expression = expression.replace(name, value).replace("${" + name[1:] + "}", value)
    assert "$" not in expression, f"a variable was left in {expression}"
    return expression


@pytest.fixture(scope="module")
def _some_orders(api_key: str) -> None:
    """Orders and their WebSockets, so that every panel has something to show."""

    async def flow() -> None:
        async with Traffic(api_key, rate=5) as traffic:
            await until(lambda: len(traffic.accepted) > 40, within_s=30, what="orders flow")

    asyncio.run(flow())


def test_every_pod_is_scraped_when_the_release_runs(kubernetes: Kubernetes) -> None:
    up = {series["metric"]["pod"] for series in query(f'up{{namespace="{NAMESPACE}"}} == 1')}
    for service in SERVICES:
        names = {pod.metadata.name for pod in kubernetes.ready_pods(service)}
        assert names
        assert names <= up


@pytest.mark.usefixtures("_some_orders")
@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda path: path.stem)
async def test_every_query_returns_data_when_a_dashboard_is_looked_at(dashboard: Path) -> None:
    targets = [(panel["title"], target["expr"]) for panel in _panels(dashboard) for target in panel["targets"]]
    assert targets
    empty: list[str] = []

    def all_have_data() -> bool:
        empty[:] = [f"{title}: {expr}" for title, expr in targets if not query(_filled(expr))]
        return not empty

    try:
        await until(all_have_data, within_s=150)  # objectives are recorded once a minute
    except AssertionError:
        assert not empty, "\n".join(empty)


def _rules() -> list[Any]:
    return [rule for group in ask("rules")["groups"] for rule in group["rules"]]


async def test_every_rule_evaluates_when_prometheus_has_the_alerts() -> None:
    await until(lambda: bool(_rules()) and all(r["health"] == "ok" for r in _rules()), within_s=60)
    declared = sum(len(re.findall(r"- (?:alert|record):", path.read_text())) for path in CHART.glob("alerts/*.yaml"))
    assert len(_rules()) == declared


async def test_one_order_is_one_trace_through_services_topics_and_database_when_it_crosses_the_cluster(
    http: httpx.AsyncClient, api_key: str
) -> None:
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    answer = await http.post(
        "/api/orders/execute",
        json={"userWallet": "traced", "inputToken": "SOL", "outputToken": "USDC", "inputAmount": "1"},
        headers={"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"},
    )
    assert answer.status_code == 202, answer.text
    await Subscriber(lambda: WS_URL, answer.json()["orderId"], api_key).follow()

    def missing() -> set[tuple[str, str]]:
        edges = httpx.get(f"{COLLECTOR}/traces/{trace_id}", timeout=10).json()
        found: set[tuple[str, str]] = {(parent, child) for parent, child in edges}
        return EDGES - found

    try:
        await until(lambda: not missing(), within_s=30)
    except AssertionError:
        assert missing() == set()
