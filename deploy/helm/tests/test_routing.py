"""Clients reach the API and the notifier, and nothing that is for operators."""

import pytest
from deploy.helm.tests.pods import minimal
from deploy.helm.tests.rendering import Object, RefusedError, Rendered

KIND = "gateway.networking.k8s.io/v1/HTTPRoute"
PUBLIC = {
    ("Prefix", "/api"): ("swaprail-api", 3000),
    ("Prefix", "/docs"): ("swaprail-api", 3000),
    ("Exact", "/health"): ("swaprail-api", 3000),
    ("Prefix", "/ws"): ("swaprail-notifier", 3001),
}
ADMITTED: Object = {"networkPolicy": {"ingressFrom": [{"namespaceSelector": {}}]}}


def ingress(**values: object) -> Object:
    return minimal(ADMITTED, {"ingress": {"enabled": True, **values}}).one("Ingress", "swaprail")


def route(**values: object) -> Object:
    given = {"enabled": True, "parentRefs": [{"name": "gateway"}], **values}
    return minimal(ADMITTED, {"checkKinds": False, "httpRoute": given}).one("HTTPRoute", "swaprail")


def services(objects: Rendered) -> dict[str, list[int]]:
    return {
        item["metadata"]["name"]: [port["port"] for port in item["spec"]["ports"]] for item in objects.of("Service")
    }


def test_nothing_is_routed_when_it_is_not_asked_for() -> None:
    objects = minimal()
    assert objects.of("Ingress") == []
    assert objects.of("HTTPRoute") == []


def test_ingress_routes_what_is_public_and_nothing_else() -> None:
    (rule,) = ingress()["spec"]["rules"]
    found = {
        (path["pathType"], path["path"]): (
            path["backend"]["service"]["name"],
            path["backend"]["service"]["port"]["number"],
        )
        for path in rule["http"]["paths"]
    }
    assert found == PUBLIC
    assert "host" not in rule


def test_route_routes_what_is_public_and_nothing_else() -> None:
    found = {}
    for rule in route()["spec"]["rules"]:
        (match,), (backend,) = rule["matches"], rule["backendRefs"]
        kind = match["path"]["type"].removeprefix("Path")
        found[kind, match["path"]["value"]] = backend["name"], backend["port"]
    assert found == PUBLIC


def test_ingress_has_hosts_class_annotations_and_tls_when_given() -> None:
    tls = [{"hosts": ["swap.example"], "secretName": "swap-tls"}]
    found = ingress(className="traefik", annotations={"a": "b"}, hosts=["swap.example", "swap.test"], tls=tls)
    assert found["metadata"]["annotations"] == {"a": "b"}
    assert found["spec"]["ingressClassName"] == "traefik"
    assert found["spec"]["tls"] == tls
    assert [rule["host"] for rule in found["spec"]["rules"]] == ["swap.example", "swap.test"]
    assert {len(rule["http"]["paths"]) for rule in found["spec"]["rules"]} == {len(PUBLIC)}


def test_route_has_gateways_hosts_and_annotations_when_given() -> None:
    parents = [{"name": "public", "namespace": "gateways", "sectionName": "https"}]
    found = route(parentRefs=parents, hostnames=["swap.example"], annotations={"a": "b"})
    assert found["metadata"]["annotations"] == {"a": "b"}
    assert found["spec"]["parentRefs"] == parents
    assert found["spec"]["hostnames"] == ["swap.example"]


def test_websockets_are_not_cut_by_a_timeout_of_the_route() -> None:
    timeouts = {rule["matches"][0]["path"]["value"]: rule.get("timeouts") for rule in route()["spec"]["rules"]}
    assert timeouts == {"/api": None, "/docs": None, "/health": None, "/ws": {"request": "0s"}}


def test_gateway_api_is_asked_for_when_the_cluster_lacks_it() -> None:
    with pytest.raises(RefusedError, match=rf"httpRoute\.enabled needs {KIND}.*--api-versions {KIND}"):
        minimal(ADMITTED, {"httpRoute": {"enabled": True, "parentRefs": [{"name": "gateway"}]}})


def test_only_those_who_face_clients_have_a_service_and_only_inside() -> None:
    objects = minimal()
    assert services(objects) == {"swaprail-api": [3000], "swaprail-notifier": [3001]}
    assert {item["spec"]["type"] for item in objects.of("Service")} == {"ClusterIP"}


@pytest.mark.parametrize("component", ["api", "notifier"])
def test_service_finds_its_pods_by_label_and_port(component: str) -> None:
    objects = minimal({component: {"service": {"annotations": {"a": "b"}, "appProtocol": "kubernetes.io/ws"}}})
    service, pods = objects.one("Service", f"swaprail-{component}"), objects.one("Deployment", f"swaprail-{component}")
    template = pods["spec"]["template"]
    assert service["metadata"]["annotations"] == {"a": "b"}
    assert service["spec"]["selector"].items() <= template["metadata"]["labels"].items()
    (port,) = service["spec"]["ports"]
    assert port["appProtocol"] == "kubernetes.io/ws"
    ports = {entry["name"]: entry["containerPort"] for entry in template["spec"]["containers"][0]["ports"]}
    assert ports[port["targetPort"]] == port["port"]


def test_service_says_no_protocol_when_none_is_given() -> None:
    assert "appProtocol" not in minimal().one("Service", "swaprail-notifier")["spec"]["ports"][0]
