"""Values that cannot work are refused before anything changes, with words that say what to change."""

import pytest

from tests.e2e.cluster import release
from tests.e2e.cluster.names import CHART, NAMESPACE, RELEASE
from tests.e2e.cluster.shell import CommandError, helm

WRONG = {
    "ingress and route at once": (("--set", "httpRoute.enabled=true"), "httpRoute"),
    "a setting that does not exist": (("--set", "config.ROUTER_INFLIGHT=5"), "ROUTER_INFLIGHT"),
    "a value that does not exist": (("--set", "api.replicaCount=3"), "replicaCount"),
    "a secret among the settings": (("--set", "config.DB_PASSWORD=x"), "DB_PASSWORD"),
    "fewer pods at most than at least": (
        ("--set", "api.autoscaling.mode=hpa,api.autoscaling.minReplicas=5,api.autoscaling.maxReplicas=2"),
        "maxReplicas",
    ),
    "a fixed number of pods that are scaled": (("--set", "api.autoscaling.mode=hpa,api.replicas=3"), "api.replicas"),
    "keda for a service that reads no stream": (("--set", "api.autoscaling.mode=keda"), "api"),
}


@pytest.mark.parametrize("name", WRONG)
def test_an_upgrade_is_refused_and_nothing_changes_when_the_values_are_wrong(name: str) -> None:
    options, told = WRONG[name]
    before = helm("history", RELEASE, "--namespace", NAMESPACE, "--output", "json")
    with pytest.raises(CommandError, match=told):
        release.install(*options)
    assert helm("history", RELEASE, "--namespace", NAMESPACE, "--output", "json") == before


def test_an_installation_is_refused_when_it_names_no_database() -> None:
    with pytest.raises(CommandError, match="database"):
        helm("template", RELEASE, CHART, "--set", "redis.host=redis")
