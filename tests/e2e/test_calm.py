"""The release as it is when nothing was done to it yet: this file runs first."""

from tests.e2e.cluster.names import NAMESPACE
from tests.e2e.conditions import until
from tests.e2e.prometheus import ask, query
from tests.e2e.traffic import Traffic

BURN = f'namespace_slo:swaprail_burn_rate:1h{{namespace="{NAMESPACE}"}}'


def _urgent() -> list[str]:
    """Return the alerts that wake somebody now."""
    firing = [alert["labels"] for alert in ask("alerts")["alerts"] if alert["state"] == "firing"]
    return [labels["alertname"] for labels in firing if labels["severity"] == "page"]


async def test_nobody_is_woken_when_orders_flow_and_all_is_well(api_key: str) -> None:
    async with Traffic(api_key, rate=5) as traffic:
        await until(lambda: len(traffic.accepted) > 40, within_s=30, what="orders flow")
    assert not traffic.failures
    # Objectives are recorded once a minute: before that no alert about them could fire.
    await until(lambda: len(query(BURN)) == 4, within_s=180, what="every objective was judged")
    assert _urgent() == []
