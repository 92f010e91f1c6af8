"""What the namespace enforces, and which edges the network policies open."""

import json
from typing import Any

import pytest

from tests.e2e.cluster.access import Kubernetes
from tests.e2e.cluster.names import NAMESPACE, RELEASE, SERVICES
from tests.e2e.cluster.shell import CommandError, kubectl

EDGE = "edge"
STORES = "stores"
OBSERVABILITY = "observability"


def test_a_pod_is_refused_when_it_is_not_restricted() -> None:
    with pytest.raises(CommandError, match='violates PodSecurity "restricted'):
        kubectl("run", "intruder", "--image=busybox:stable", "-n", NAMESPACE, "--privileged")


def test_every_pod_of_the_release_runs_where_restricted_is_enforced(kubernetes: Kubernetes) -> None:
    labels = kubernetes.core.read_namespace(NAMESPACE).metadata.labels
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    for service in SERVICES:
        assert kubernetes.ready_pods(service), f"{service} has no pod"


def test_no_pod_holds_a_token_or_can_write_to_its_root_when_it_runs(kubernetes: Kubernetes) -> None:
    for service in SERVICES:
        pod = kubernetes.pods(service)[0]
        assert pod.spec.automount_service_account_token is False
        name = pod.metadata.name
        with pytest.raises(CommandError):
            kubectl("exec", name, "-n", NAMESPACE, "-c", service, "--", "touch", "/app/new")
        with pytest.raises(CommandError):
            kubectl("exec", name, "-n", NAMESPACE, "-c", service, "--", "ls", "/var/run/secrets/kubernetes.io")


def _policy(kubernetes: Kubernetes, component: str) -> Any:
    return kubernetes.networking.read_namespaced_network_policy(f"{RELEASE}-{component}", NAMESPACE)


def _edges(rules: Any, side: str) -> set[tuple[str, int]]:
    """Return (namespace, or "*" for anywhere, port) of every edge."""
    found = set()
    for rule in rules or []:
        peers = getattr(rule, side) or [None]
        for peer in peers:
            labels = peer.namespace_selector.match_labels if peer and peer.namespace_selector else None
            place = labels["kubernetes.io/metadata.name"] if labels else "*"
            found |= {(place, int(port.port)) for port in rule.ports or []}
    return found


INGRESS = {
    "api": {(EDGE, 3000), (OBSERVABILITY, 9000)},
    "notifier": {(EDGE, 3001), (OBSERVABILITY, 9000)},
    "router": {(OBSERVABILITY, 9000)},
    "executor": {(OBSERVABILITY, 9000)},
}
EGRESS = {("kube-system", 53), (STORES, 5432), (STORES, 6379), (OBSERVABILITY, 4318)}


@pytest.mark.parametrize("component", SERVICES)
def test_just_the_needed_edges_are_open_when_policies_are_on(component: str, kubernetes: Kubernetes) -> None:
    policy = _policy(kubernetes, component)
    assert policy.spec.pod_selector.match_labels["app.kubernetes.io/component"] == component
    assert set(policy.spec.policy_types) == {"Ingress", "Egress"}
    assert INGRESS[component] <= _edges(policy.spec.ingress, "_from")
    assert {edge for edge in _edges(policy.spec.ingress, "_from") if edge[0] != "*"} == INGRESS[component]
    assert _edges(policy.spec.egress, "to") == EGRESS


def test_all_else_is_denied_when_policies_are_on(kubernetes: Kubernetes) -> None:
    policies = kubernetes.networking.list_namespaced_network_policy(NAMESPACE).items
    denials = [p for p in policies if not p.spec.ingress and not p.spec.egress]
    assert len(denials) == 1
    selected = denials[0].spec.pod_selector.match_labels
    assert "app.kubernetes.io/component" not in selected
    assert set(denials[0].spec.policy_types) == {"Ingress", "Egress"}
    pods = json.loads(kubectl("get", "pods", "-n", NAMESPACE, "-o", "json"))["items"]
    for pod in pods:
        assert selected.items() <= pod["metadata"]["labels"].items()
