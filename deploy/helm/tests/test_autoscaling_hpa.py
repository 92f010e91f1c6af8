"""Scaling without KEDA: none, or a HorizontalPodAutoscaler."""

import pytest
from deploy.helm.tests.pods import COMPONENTS, deployment, minimal
from deploy.helm.tests.rendering import Object

LAG = {
    "type": "External",
    "external": {"metric": {"name": "stream_lag"}, "target": {"type": "AverageValue", "averageValue": "10"}},
}


def scaling(component: str, **values: object) -> Object:
    return {component: {"autoscaling": values}}


@pytest.mark.parametrize("component", COMPONENTS)
def test_component_scales_on_cpu_when_nothing_is_said(component: str) -> None:
    objects = minimal()
    spec = objects.one("HorizontalPodAutoscaler", f"swaprail-{component}")["spec"]
    assert spec["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": f"swaprail-{component}"}
    assert (spec["minReplicas"], spec["maxReplicas"]) == (2, 10)
    cpu = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}
    assert spec["metrics"] == [{"type": "Resource", "resource": cpu}]
    assert "replicas" not in deployment(objects, component)


def test_pods_come_at_once_and_go_slowly_when_nothing_is_said() -> None:
    behavior = minimal().one("HorizontalPodAutoscaler", "swaprail-api")["spec"]["behavior"]
    assert behavior["scaleUp"]["stabilizationWindowSeconds"] == 0
    assert behavior["scaleDown"]["stabilizationWindowSeconds"] == 300


def test_bounds_target_and_behavior_are_the_given_ones() -> None:
    behavior = {"scaleDown": {"stabilizationWindowSeconds": 15}}
    values = scaling(
        "api", minReplicas=3, maxReplicas=30, targetCPUUtilizationPercentage=50, metrics=[LAG], behavior=behavior
    )
    spec = minimal(values).one("HorizontalPodAutoscaler", "swaprail-api")["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (3, 30)
    assert spec["metrics"][0]["resource"]["target"]["averageUtilization"] == 50
    assert spec["metrics"][1:] == [LAG]
    assert spec["behavior"]["scaleDown"]["stabilizationWindowSeconds"] == 15


def test_other_metrics_stand_alone_when_cpu_does_not_count() -> None:
    values = scaling("executor", targetCPUUtilizationPercentage=None, metrics=[LAG])
    assert minimal(values).one("HorizontalPodAutoscaler", "swaprail-executor")["spec"]["metrics"] == [LAG]


def test_component_differs_from_the_others_when_it_says_so() -> None:
    objects = minimal({"defaults": {"autoscaling": {"maxReplicas": 20}}}, scaling("router", maxReplicas=4))
    most = {
        component: objects.one("HorizontalPodAutoscaler", f"swaprail-{component}")["spec"]["maxReplicas"]
        for component in COMPONENTS
    }
    assert most == {"api": 20, "router": 4, "executor": 20, "notifier": 20}


@pytest.mark.parametrize(("replicas", "expected"), [(None, 2), (5, 5), (0, 0)])
def test_replicas_are_fixed_when_not_autoscaled(replicas: int | None, expected: int) -> None:
    objects = minimal({"notifier": {"replicas": replicas, "autoscaling": {"mode": "none"}}})
    assert deployment(objects, "notifier")["replicas"] == expected
    assert "swaprail-notifier" not in [item["metadata"]["name"] for item in objects.of("HorizontalPodAutoscaler")]
