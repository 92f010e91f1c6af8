"""Rollouts, drains and spreading: what keeps a component answering."""

import pytest
from deploy.helm.tests.pods import COMPONENTS, config, container, deployment, minimal, pod
from deploy.helm.tests.rendering import Object

SELECTOR = {"app.kubernetes.io/name": "swaprail", "app.kubernetes.io/instance": "swaprail"}
PROBES = {"startupProbe": "/health/started", "livenessProbe": "/health/live", "readinessProbe": "/health/ready"}


@pytest.mark.parametrize("component", COMPONENTS)
def test_no_pod_goes_before_its_successor_is_ready_when_rolled(component: str) -> None:
    strategy = deployment(minimal(), component)["strategy"]
    assert strategy == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}


def test_rollout_is_the_given_one() -> None:
    values: Object = {"rollingUpdate": {"maxUnavailable": "25%", "maxSurge": 2}, "revisionHistoryLimit": 1}
    spec = deployment(minimal({"executor": values}), "executor")
    assert spec["strategy"]["rollingUpdate"] == values["rollingUpdate"]
    assert spec["revisionHistoryLimit"] == 1


@pytest.mark.parametrize("component", COMPONENTS)
def test_drain_takes_one_pod_at_a_time_and_broken_ones_freely(component: str) -> None:
    spec = minimal().one("PodDisruptionBudget", f"swaprail-{component}")["spec"]
    assert spec["maxUnavailable"] == 1
    assert spec["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
    assert spec["selector"]["matchLabels"] == SELECTOR | {"app.kubernetes.io/component": component}


def test_budget_is_the_given_one() -> None:
    given = {"maxUnavailable": "30%", "unhealthyPodEvictionPolicy": "IfHealthyBudget"}
    spec = minimal({"api": {"podDisruptionBudget": given}}).one("PodDisruptionBudget", "swaprail-api")["spec"]
    assert {key: spec[key] for key in given} == given


def test_no_budget_is_made_when_it_is_off() -> None:
    objects = minimal({"router": {"podDisruptionBudget": {"enabled": False}}})
    names = {item["metadata"]["name"] for item in objects.of("PodDisruptionBudget")}
    assert names == {"swaprail-api", "swaprail-executor", "swaprail-notifier"}


@pytest.mark.parametrize("component", COMPONENTS)
def test_versions_spread_over_nodes_each_on_its_own_when_nodes_have_no_zone(component: str) -> None:
    spread = pod(minimal(), component)["topologySpreadConstraints"]
    # One by zone beside it would void it wherever a node has no zone.
    assert [found["topologyKey"] for found in spread] == ["kubernetes.io/hostname"]
    for found in spread:
        assert found["whenUnsatisfiable"] == "ScheduleAnyway"
        assert found["matchLabelKeys"] == ["pod-template-hash"]
        assert found["labelSelector"]["matchLabels"] == SELECTOR | {"app.kubernetes.io/component": component}


@pytest.mark.parametrize("component", COMPONENTS)
def test_pods_prefer_nodes_without_another_when_no_anti_affinity_is_given(component: str) -> None:
    given: Object = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}}}
    affinity = pod(minimal({component: {"affinity": given}}), component)["affinity"]
    assert affinity["nodeAffinity"] == given["nodeAffinity"]
    (term,) = affinity["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert (term["weight"], term["podAffinityTerm"]["topologyKey"]) == (100, "kubernetes.io/hostname")
    own = SELECTOR | {"app.kubernetes.io/component": component}
    assert term["podAffinityTerm"]["labelSelector"] == {"matchLabels": own}


def _lost(values: Object) -> dict[str, int | None]:
    tolerations = pod(minimal({"api": values}), "api").get("tolerations", [])
    return {
        found["key"].partition("/")[2]: found.get("tolerationSeconds")
        for found in tolerations
        if found.get("effect") == "NoExecute"
    }


def test_pods_of_a_lost_node_are_replaced_soon_when_nothing_is_set() -> None:
    assert _lost({}) == {"not-ready": 30, "unreachable": 30}
    assert _lost({"nodeLossSeconds": 0}) == {"not-ready": 0, "unreachable": 0}
    own = {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5}
    assert _lost({"tolerations": [own]}) == {"not-ready": 5, "unreachable": 30}
    assert _lost({"nodeLossSeconds": None}) == {}
    assert _lost({"tolerations": [own | {"effect": "NoSchedule"}]}) == {"not-ready": 30, "unreachable": 30}
    # Of several that fit, Kubernetes goes by the least: who tolerates all for ever is left alone.
    assert "tolerationSeconds" not in str(pod(minimal({"api": {"tolerations": [{"operator": "Exists"}]}}), "api"))


def test_own_selector_is_kept_when_a_spread_has_one() -> None:
    given = {"topologyKey": "rack", "maxSkew": 2, "labelSelector": {"matchLabels": {"a": "b"}}}
    assert pod(minimal({"api": {"topologySpreadConstraints": [given]}}), "api")["topologySpreadConstraints"] == [given]
    assert "topologySpreadConstraints" not in pod(minimal({"api": {"topologySpreadConstraints": []}}), "api")


@pytest.mark.parametrize("component", COMPONENTS)
@pytest.mark.parametrize(("probe", "path"), PROBES.items())
def test_probe_asks_the_operations_port_with_the_given_timing(component: str, probe: str, path: str) -> None:
    timing = {"periodSeconds": 7, "timeoutSeconds": 4, "failureThreshold": 9}
    found = container(minimal({component: {probe: timing}}), component)[probe]
    assert found["httpGet"] == {"path": path, "port": "ops"}
    assert {key: found[key] for key in timing} == timing
    assert {"name": "ops", "containerPort": 9000} in container(minimal(), component)["ports"]


@pytest.mark.parametrize(("component", "pre_stop"), [("api", 15), ("router", 0), ("executor", 0), ("notifier", 15)])
def test_pod_has_time_to_drain_when_it_is_stopped(component: str, pre_stop: int) -> None:
    objects = minimal()
    assert pod(objects, component)["terminationGracePeriodSeconds"] == pre_stop + 15 + 10
    assert config(objects, component)["DRAIN_TIMEOUT_S"] == "15"
    sleep = {"preStop": {"sleep": {"seconds": pre_stop}}} if pre_stop else None
    assert container(objects, component).get("lifecycle") == sleep


def test_grace_period_follows_when_drain_and_pre_stop_are_given() -> None:
    objects = minimal({"defaults": {"drainSeconds": 40}, "api": {"preStopSeconds": 5}})
    assert pod(objects, "api")["terminationGracePeriodSeconds"] == 55
    assert pod(objects, "executor")["terminationGracePeriodSeconds"] == 50
    assert config(objects, "executor")["DRAIN_TIMEOUT_S"] == "40"
