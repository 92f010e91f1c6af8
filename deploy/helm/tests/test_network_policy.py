"""Traffic is denied but for the edges that the engine needs."""

from collections.abc import Iterator

import pytest
from deploy.helm.tests.pods import COMPONENTS, PARTS, minimal
from deploy.helm.tests.rendering import Object, Rendered

RELEASE = {"app.kubernetes.io/name": "swaprail", "app.kubernetes.io/instance": "swaprail"}
PEER: list[Object] = [{"podSelector": {"matchLabels": {"a": "b"}}}]
DNS: list[Object] = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}]
TRACING = {"tracing": {"endpoint": "http://collector:4318"}}


def policy(objects: Rendered, role: str) -> Object:
    spec: Object = objects.one("NetworkPolicy", f"swaprail-{role}")["spec"]
    return spec


def edges(rules: list[Object], peers: str) -> Iterator[tuple[int, object]]:
    for rule in rules:
        for port in rule["ports"]:
            yield port["port"], rule.get(peers)


def ways_out(objects: Rendered, role: str) -> dict[int, object]:
    """Return peers by port."""
    return dict(edges(policy(objects, role)["egress"], "to"))


def ways_in(objects: Rendered, role: str) -> dict[int, object]:
    """Return peers by port, without the release's own test."""
    test = {"podSelector": {"matchLabels": RELEASE | {"app.kubernetes.io/component": "test"}}}
    found = edges(policy(objects, role).get("ingress", []), "from")
    return {port: [peer for peer in peers if peer != test] for port, peers in found if isinstance(peers, list)}


def test_all_traffic_of_all_pods_of_the_release_is_denied() -> None:
    assert policy(minimal(), "default-deny") == {
        "podSelector": {"matchLabels": RELEASE},
        "policyTypes": ["Ingress", "Egress"],
    }


@pytest.mark.parametrize("role", [*COMPONENTS, "migration"])
def test_policy_is_of_its_pods_and_covers_both_directions(role: str) -> None:
    spec = policy(minimal(), role)
    assert spec["podSelector"]["matchLabels"] == RELEASE | {"app.kubernetes.io/component": role}
    assert spec["policyTypes"] == ["Ingress", "Egress"]


@pytest.mark.parametrize("component", COMPONENTS)
def test_service_reaches_names_database_and_redis_and_no_more(component: str) -> None:
    assert ways_out(minimal(), component) == {53: DNS, 5432: None, 6379: None}


def test_migration_reaches_names_and_database_and_no_more() -> None:
    objects = minimal()
    assert ways_out(objects, "migration") == {53: DNS, 5432: None}
    assert "ingress" not in policy(objects, "migration")


def test_peers_are_the_given_ones() -> None:
    given = {"dnsTo": [], "databaseTo": PEER, "redisTo": PEER, "tracingTo": PEER}
    objects = minimal(TRACING, {"networkPolicy": given})
    assert ways_out(objects, "api") == {53: None, 5432: PEER, 6379: PEER, 4318: PEER}
    assert ways_out(objects, "migration") == {53: None, 5432: PEER}


@pytest.mark.parametrize(
    ("endpoint", "port"),
    [("http://collector:4318", 4318), ("https://traces.example", 443), ("http://traces.example/otlp", 80)],
)
def test_collector_is_reached_when_there_are_traces(endpoint: str, port: int) -> None:
    assert port in ways_out(minimal({"tracing": {"endpoint": endpoint}}), "executor")


def test_ports_follow_when_servers_are_named_in_parts() -> None:
    objects = minimal(PARTS, {"database": {"port": 6432}, "redis": {"port": 7000}})
    assert set(ways_out(objects, "router")) == {53, 6432, 7000}
    assert set(ways_out(objects, "migration")) == {53, 6432}


@pytest.mark.parametrize(
    ("database", "redis", "ports"),
    [
        ("postgresql://u:p@pg.example:6432/orders", "redis://:p@redis.example:7000/0", {6432, 7000}),
        ("postgresql://u:p@pg.example/orders", "redis://redis.example", {5432, 6379}),
    ],
)
def test_ports_follow_when_servers_are_named_by_url(database: str, redis: str, ports: set[int]) -> None:
    nothing: Object = {"existingSecret": "", "secretKeys": {"url": ""}}
    objects = minimal({"database": {**nothing, "url": database}, "redis": {**nothing, "url": redis}})
    assert set(ways_out(objects, "api")) == {53} | ports


def test_clients_and_prometheus_come_in_only_where_they_are_needed_when_named() -> None:
    objects = minimal({"networkPolicy": {"ingressFrom": PEER, "metricsFrom": PEER}})
    assert {component: ways_in(objects, component) for component in COMPONENTS} == {
        "api": {3000: PEER, 9000: PEER},
        "router": {9000: PEER},
        "executor": {9000: PEER},
        "notifier": {3001: PEER, 9000: PEER},
    }


def test_nobody_comes_in_when_nobody_is_named() -> None:
    objects = minimal()
    assert ways_in(objects, "api") == {3000: []}
    assert "ingress" not in policy(objects, "executor")


def test_further_rules_are_the_components_own() -> None:
    rule = {"ports": [{"port": 443, "protocol": "TCP"}]}
    objects = minimal({"executor": {"networkPolicy": {"extraEgress": [rule], "extraIngress": [rule]}}})
    assert policy(objects, "executor")["egress"][-1] == rule
    assert policy(objects, "executor")["ingress"] == [rule]
    assert 443 not in ways_out(objects, "router")


def test_nothing_is_denied_when_policies_are_off() -> None:
    assert minimal({"networkPolicy": {"enabled": False}}).of("NetworkPolicy") == []
