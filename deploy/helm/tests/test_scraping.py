"""How Prometheus finds the services."""

import pytest
from deploy.helm.tests.rendering import Object, RefusedError, ci_values, merged, render

COMPONENTS = {"api", "router", "executor", "notifier"}
FOUR = {"key": "app.kubernetes.io/component", "operator": "In", "values": ["api", "router", "executor", "notifier"]}
RELEASE = {"app.kubernetes.io/name": "swaprail", "app.kubernetes.io/instance": "swaprail"}
PROMETHEUS: Object = {"networkPolicy": {"metricsFrom": [{"namespaceSelector": {}}]}}
BASE = merged(ci_values("minimal"), PROMETHEUS, {"checkKinds": False})
KINDS = {"podMonitor": "PodMonitor", "serviceMonitor": "ServiceMonitor"}
ENDPOINTS = {"podMonitor": "podMetricsEndpoints", "serviceMonitor": "endpoints"}


def monitored(value: str, **more: object) -> Object:
    return merged(BASE, {"monitoring": {value: {"enabled": True, **more}}})


def monitor(value: str, **more: object) -> Object:
    return render(monitored(value, **more)).one(KINDS[value], "swaprail")


def endpoint(value: str, **more: object) -> Object:
    (found,) = monitor(value, **more)["spec"][ENDPOINTS[value]]
    return dict(found)


def test_nothing_scrapes_when_it_is_not_asked_for() -> None:
    objects = render(BASE)
    assert not objects.of("PodMonitor")
    assert not objects.of("ServiceMonitor")
    for deployment in objects.of("Deployment"):
        assert "prometheus.io/scrape" not in deployment["spec"]["template"]["metadata"]["annotations"]


@pytest.mark.parametrize("value", KINDS)
def test_four_services_and_nothing_else_are_selected_when_monitored(value: str) -> None:
    assert monitor(value)["spec"]["selector"] == {"matchLabels": RELEASE, "matchExpressions": [FOUR]}


@pytest.mark.parametrize("value", KINDS)
def test_operations_port_is_scraped_when_monitored(value: str) -> None:
    found = endpoint(value, interval="7s", scrapeTimeout="6s")
    assert (found["port"], found["path"], found["interval"], found["scrapeTimeout"]) == ("ops", "/metrics", "7s", "6s")


@pytest.mark.parametrize("value", KINDS)
def test_job_names_release_and_component_when_monitored(value: str) -> None:
    (job,) = endpoint(value)["relabelings"]
    assert job["sourceLabels"] == ["__meta_kubernetes_pod_label_app_kubernetes_io_component"]
    assert (job["targetLabel"], job["replacement"]) == ("job", "swaprail-$1")


@pytest.mark.parametrize("value", KINDS)
def test_relabelings_are_added_when_given(value: str) -> None:
    rule = {"action": "labeldrop", "regex": "x"}
    found = endpoint(value, relabelings=[rule], metricRelabelings=[rule])
    assert found["relabelings"][1:] == [rule]
    assert found["metricRelabelings"] == [rule]


@pytest.mark.parametrize("value", KINDS)
def test_labels_and_annotations_are_set_when_given(value: str) -> None:
    metadata = monitor(value, labels={"release": "kps"}, annotations={"note": "x"})["metadata"]
    assert metadata["labels"]["release"] == "kps"
    assert metadata["annotations"] == {"note": "x"}


def test_pods_have_the_port_that_is_scraped_when_selected() -> None:
    for deployment in render(BASE).of("Deployment"):
        template = deployment["spec"]["template"]
        assert {"name": "ops", "containerPort": 9000} in template["spec"]["containers"][0]["ports"]
        assert template["metadata"]["labels"].items() >= RELEASE.items()
        assert template["metadata"]["labels"]["app.kubernetes.io/component"] in COMPONENTS


def test_every_component_has_a_service_with_the_port_when_a_service_monitor_is_on() -> None:
    objects = render(monitored("serviceMonitor"))
    for component in COMPONENTS:
        service = objects.one("Service", f"swaprail-{component}-metrics")
        labels = {**RELEASE, "app.kubernetes.io/component": component}
        assert service["metadata"]["labels"].items() >= labels.items()
        assert service["spec"]["selector"] == labels
        assert service["spec"]["ports"] == [{"name": "ops", "port": 9000, "targetPort": "ops"}]


def test_pods_are_scraped_once_when_they_have_a_service_for_traffic_too() -> None:
    services = render(monitored("serviceMonitor")).of("Service")
    with_the_port = [found for found in services if "ops" in [port["name"] for port in found["spec"]["ports"]]]
    assert len(with_the_port) == len(COMPONENTS)


def test_no_service_is_for_metrics_when_no_service_monitor_is_on() -> None:
    services = render(monitored("podMonitor")).of("Service")
    assert {service["metadata"]["name"] for service in services} == {"swaprail-api", "swaprail-notifier"}


def test_pods_are_annotated_when_there_is_no_operator() -> None:
    for deployment in render(merged(BASE, {"monitoring": {"scrapeAnnotations": True}})).of("Deployment"):
        annotations = deployment["spec"]["template"]["metadata"]["annotations"]
        assert annotations["prometheus.io/scrape"] == "true"
        assert annotations["prometheus.io/port"] == "9000"
        assert annotations["prometheus.io/path"] == "/metrics"


def test_second_monitor_is_refused_when_there_is_one() -> None:
    values = merged(monitored("podMonitor"), {"monitoring": {"serviceMonitor": {"enabled": True}}})
    with pytest.raises(RefusedError, match="both enabled"):
        render(values)


@pytest.mark.parametrize("value", KINDS)
def test_monitor_is_refused_when_the_cluster_does_not_know_it(value: str) -> None:
    values = merged(monitored(value), {"checkKinds": True})
    with pytest.raises(RefusedError, match=f"--api-versions monitoring.coreos.com/v1/{KINDS[value]}"):
        render(values)
    assert render(values, kinds=[f"monitoring.coreos.com/v1/{KINDS[value]}"]).of(KINDS[value])
