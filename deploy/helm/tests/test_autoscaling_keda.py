"""Router and executor scaled by KEDA, on their streams and their slots."""

from collections.abc import Mapping

import pytest
from deploy.helm.tests.pods import PARTS, deployment, minimal
from deploy.helm.tests.promql import known, unknown
from deploy.helm.tests.rendering import NAMESPACE, Object, RefusedError, Rendered, merged

from swaprail.messages.topics import Group, Topic

KIND = "keda.sh/v1alpha1/ScaledObject"
READS = {"router": {Topic.ACCEPTED, Topic.QUOTES}, "executor": {Topic.ROUTED}}


def keda(*layers: Mapping[str, object]) -> Rendered:
    modes = {component: {"autoscaling": {"mode": "keda"}} for component in READS}
    return minimal({"checkKinds": False}, PARTS, modes, *layers)


def spec(objects: Rendered, component: str) -> Object:
    found: Object = objects.one("ScaledObject", f"swaprail-{component}")["spec"]
    return found


def settings(component: str, **values: object) -> Object:
    return {component: {"autoscaling": {"keda": values}}}


def streams(objects: Rendered, component: str) -> list[Object]:
    return [trigger for trigger in spec(objects, component)["triggers"] if trigger["type"] == "redis-streams"]


@pytest.mark.parametrize("component", READS)
def test_lag_of_what_the_component_reads_counts_when_in_mode_keda(component: str) -> None:
    found = [trigger["metadata"] for trigger in streams(keda(settings(component, lagCount=7)), component)]
    assert {metadata["stream"] for metadata in found} == READS[component]
    assert {metadata["consumerGroup"] for metadata in found} == {Group(component)}
    assert {metadata["lagCount"] for metadata in found} == {"7"}


@pytest.mark.parametrize("component", READS)
def test_keda_alone_scales_when_in_mode_keda(component: str) -> None:
    objects = keda({component: {"autoscaling": {"minReplicas": 3, "maxReplicas": 30}}})
    found = spec(objects, component)
    assert found["scaleTargetRef"] == {"name": f"swaprail-{component}"}
    assert (found["minReplicaCount"], found["maxReplicaCount"]) == (3, 30)
    assert "replicas" not in deployment(objects, component)
    assert f"swaprail-{component}" not in [item["metadata"]["name"] for item in objects.of("HorizontalPodAutoscaler")]
    behavior = found["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
    assert behavior["scaleDown"]["stabilizationWindowSeconds"] == 300


def test_none_of_the_pods_goes_when_there_is_no_work() -> None:
    with pytest.raises(RefusedError, match="minReplicas"):
        keda({"executor": {"autoscaling": {"minReplicas": 0}}})


def test_polling_and_fallback_are_the_given_ones() -> None:
    fallback = {"failureThreshold": 5, "replicas": 6, "behavior": "static"}
    objects = keda(settings("executor", pollingInterval=2, fallback=fallback))
    assert spec(objects, "executor")["pollingInterval"] == 2
    assert spec(objects, "executor")["fallback"] == fallback
    assert {trigger["useCachedMetrics"] for trigger in spec(objects, "executor")["triggers"]} == {True}


def test_scaling_stands_still_when_paused() -> None:
    found = keda(settings("router", paused=True)).one("ScaledObject", "swaprail-router")["metadata"]
    assert found["annotations"] == {"autoscaling.keda.sh/paused": "true"}
    assert "annotations" not in keda().one("ScaledObject", "swaprail-router")["metadata"]


def test_keda_signs_in_with_the_secret_of_the_pods() -> None:
    keys = {"host": "h", "port": "p", "username": "u", "password": "w"}
    given: Object = {"host": "", "secretKeys": keys, "tls": {"enabled": True}, "ca": {"existingSecret": "ca"}}
    objects = keda({"redis": given})
    targets = objects.one("TriggerAuthentication", "swaprail-executor-redis")["spec"]["secretTargetRef"]
    found = {entry["parameter"]: (entry["name"], entry["key"]) for entry in targets}
    assert found == {name: ("redis", key) for name, key in keys.items()} | {"ca": ("ca", "ca.crt")}
    (trigger,) = streams(objects, "executor")
    assert trigger["authenticationRef"] == {"name": "swaprail-executor-redis"}
    assert trigger["metadata"]["enableTLS"] == "true"
    assert {"host", "port", "username"} & set(trigger["metadata"]) == set()


def test_keda_needs_no_sign_in_when_redis_has_no_password() -> None:
    objects = keda({"redis": {"existingSecret": "", "secretKeys": {"password": ""}, "port": 7000, "database": 2}})
    assert objects.of("TriggerAuthentication") == []
    (trigger,) = streams(objects, "executor")
    assert "authenticationRef" not in trigger
    assert trigger["metadata"]["port"] == "7000"
    assert trigger["metadata"]["databaseIndex"] == "2"


@pytest.mark.parametrize(("host", "seen"), [("redis", f"redis.{NAMESPACE}"), ("redis.example", "redis.example")])
def test_keda_finds_redis_from_its_own_namespace(host: str, seen: str) -> None:
    (trigger,) = streams(keda({"redis": {"host": host}}), "executor")
    assert trigger["metadata"]["host"] == seen


@pytest.mark.parametrize("component", READS)
def test_slots_count_in_pods_when_prometheus_is_named(component: str) -> None:
    values = settings(component, prometheus={"serverAddress": "http://prometheus:9090", "targetSlotPercentage": 60})
    (trigger,) = [found for found in spec(keda(values), component)["triggers"] if found["type"] == "prometheus"]
    assert trigger["metadata"]["serverAddress"] == "http://prometheus:9090"
    assert trigger["metadata"]["threshold"] == "60"
    assert trigger["metadata"]["ignoreNullValues"] == "false"
    pods = f'namespace="{NAMESPACE}",pod=~"swaprail-{component}-.+"'
    used, total = (f'swaprail_execution_slots{{state="{state}",{pods}}}' for state in ("used", "total"))
    assert trigger["metadata"]["query"] == f"100 * sum({used}) / avg({total})"
    assert unknown(trigger["metadata"]["query"], known()) == []


def test_prometheus_is_not_asked_unless_it_is_named() -> None:
    assert {trigger["type"] for trigger in spec(keda(), "executor")["triggers"]} == {"redis-streams"}


def test_keda_is_asked_for_when_the_cluster_lacks_it() -> None:
    values = merged(PARTS, {"router": {"autoscaling": {"mode": "keda"}}})
    with pytest.raises(RefusedError, match=rf"router\.autoscaling\.mode needs {KIND}.*--api-versions {KIND}"):
        minimal(values)
