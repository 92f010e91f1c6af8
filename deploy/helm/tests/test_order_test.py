"""The pod that `helm test` runs, and what it needs."""

from deploy.helm.tests.rendering import CHART, Object, Rendered, Values, ci_values, merged, render

BASE = ci_values("minimal")
SCRIPTS = sorted(path.name for path in CHART.glob("files/*.py"))


def pod(objects: Rendered) -> Object:
    found: Object = objects.one("Pod", "swaprail-test")["spec"]
    return found


def container(values: Values = BASE) -> Object:
    (found,) = pod(render(values))["containers"]
    return dict(found)


def env(values: Values = BASE) -> dict[str, str]:
    return {entry["name"]: entry.get("value", "") for entry in container(values)["env"]}


def test_nothing_is_tested_when_it_is_off() -> None:
    objects = render(merged(BASE, {"orderTest": {"enabled": False}}))
    assert not [found for found in objects if found["metadata"]["name"] == "swaprail-test"]


def test_all_of_it_is_made_for_the_test_alone_when_on() -> None:
    objects = [found for found in render(BASE) if found["metadata"]["name"] == "swaprail-test"]
    assert sorted(found["kind"] for found in objects) == ["ConfigMap", "NetworkPolicy", "Pod"]
    assert {found["metadata"]["annotations"]["helm.sh/hook"] for found in objects} == {"test"}


def test_what_the_pod_needs_is_there_first_when_tested() -> None:
    weights = {
        found["kind"]: int(found["metadata"]["annotations"].get("helm.sh/hook-weight", "0"))
        for found in render(BASE)
        if found["metadata"]["name"] == "swaprail-test"
    }
    assert max(weights["ConfigMap"], weights["NetworkPolicy"]) < weights["Pod"]


def test_scripts_are_mounted_where_they_are_run_when_tested() -> None:
    objects = render(BASE)
    assert sorted(objects.one("ConfigMap", "swaprail-test")["data"]) == SCRIPTS
    folder, _, script = container()["command"][1].rpartition("/")
    assert script in SCRIPTS
    mount = next(mount for mount in container()["volumeMounts"] if mount["mountPath"] == folder)
    volume = next(volume for volume in pod(objects)["volumes"] if volume["name"] == mount["name"])
    assert volume["configMap"]["name"] == "swaprail-test"


def test_script_is_as_written_when_mounted() -> None:
    data = render(BASE).one("ConfigMap", "swaprail-test")["data"]
    assert data == {name: (CHART / "files" / name).read_text() for name in SCRIPTS}


def test_services_are_reached_by_their_names_when_tested() -> None:
    services = {found["metadata"]["name"]: found["spec"]["ports"][0]["port"] for found in render(BASE).of("Service")}
    for variable, service in (("API_ADDRESS", "swaprail-api"), ("NOTIFIER_ADDRESS", "swaprail-notifier")):
        assert env()[variable] == f"{service}:{services[service]}"


def test_tries_and_time_are_the_given_ones() -> None:
    values = merged(BASE, {"orderTest": {"tries": 3, "timeoutSeconds": 45}})
    assert (env(values)["ORDER_TRIES"], env(values)["TIMEOUT_S"]) == ("3", "45")
    assert pod(render(values))["activeDeadlineSeconds"] > 45


def test_resources_are_the_given_ones() -> None:
    resources = {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "1Gi"}}
    assert container(merged(BASE, {"orderTest": {"resources": resources}}))["resources"] == resources


def test_it_runs_as_the_api_does_when_tested() -> None:
    objects = render(ci_values("full"))
    api = objects.one("Deployment", "swaprail-api")["spec"]["template"]["spec"]
    test = pod(objects)
    for key in ("securityContext", "imagePullSecrets", "serviceAccountName", "automountServiceAccountToken"):
        assert test[key] == api[key]
    for key in ("image", "imagePullPolicy", "securityContext", "envFrom"):
        assert test["containers"][0][key] == api["containers"][0][key]
    assert [entry for entry in api["containers"][0]["env"] if entry not in test["containers"][0]["env"]] == []


def test_it_reaches_what_it_asks_and_nothing_else_when_traffic_is_denied() -> None:
    spec = render(BASE).one("NetworkPolicy", "swaprail-test")["spec"]
    labels = render(BASE).one("Pod", "swaprail-test")["metadata"]["labels"]
    assert spec["podSelector"]["matchLabels"].items() <= labels.items()
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in spec
    ports = [[port["port"] for port in rule["ports"]] for rule in spec["egress"]]
    assert ports == [[53, 53], [5432], [3000], [3001]]


def test_services_let_it_in_when_traffic_is_denied() -> None:
    objects = render(BASE)
    labels = objects.one("Pod", "swaprail-test")["metadata"]["labels"]
    for name in ("swaprail-api", "swaprail-notifier"):
        peers = objects.one("NetworkPolicy", name)["spec"]["ingress"][0]["from"]
        assert any(peer["podSelector"]["matchLabels"].items() <= labels.items() for peer in peers)


def test_no_policy_is_made_when_policies_are_off() -> None:
    objects = render(merged(BASE, {"networkPolicy": {"enabled": False}}))
    assert not objects.of("NetworkPolicy")
    assert objects.one("Pod", "swaprail-test")
