"""The PostgreSQL and Redis that are bundled for evaluation."""

import pytest
from deploy.helm.tests.rendering import Object, RefusedError, ci_values, merged, render

BASE = ci_values("trial")
SERVERS = ("postgresql", "redis")


def bundled(**values: object) -> Object:
    return merged(BASE, {"bundled": values})


def container(values: Object, server: str) -> Object:
    pod = render(values).one("StatefulSet", f"swaprail-{server}")["spec"]["template"]["spec"]
    found: Object = pod["containers"][0]
    return found


def env_of(values: Object, server: str) -> Object:
    return {entry["name"]: entry.get("value") or entry["valueFrom"] for entry in container(values, server)["env"]}


def test_nothing_is_bundled_when_it_is_not_asked_for() -> None:
    objects = render(ci_values("minimal"))
    assert not objects.of("StatefulSet")
    assert not [found for found in objects if "bundled" in found["metadata"]["name"]]


@pytest.mark.parametrize("component", ["api", "router", "executor", "notifier"])
def test_services_use_the_bundled_pair_when_it_is_on(component: str) -> None:
    objects = render(BASE)
    settings = objects.one("ConfigMap", f"swaprail-{component}")["data"]
    assert (settings["DB_HOST"], settings["DB_PORT"], settings["DB_USER"], settings["DB_NAME"]) == (
        "swaprail-postgresql",
        "5432",
        "swaprail",
        "swaprail",
    )
    assert (settings["REDIS_HOST"], settings["REDIS_PORT"]) == ("swaprail-redis", "6379")
    pod = objects.one("Deployment", f"swaprail-{component}")["spec"]["template"]["spec"]
    secrets = {entry["name"]: entry["valueFrom"] for entry in pod["containers"][0]["env"] if "valueFrom" in entry}
    for variable, key in (("DB_PASSWORD", "postgresql-password"), ("REDIS_PASSWORD", "redis-password")):
        assert secrets[variable]["secretKeyRef"] == {"name": "swaprail-bundled", "key": key}


@pytest.mark.parametrize("server", SERVERS)
def test_server_is_found_by_the_name_that_services_use_when_bundled(server: str) -> None:
    objects = render(BASE)
    service, pods = objects.one("Service", f"swaprail-{server}"), objects.one("StatefulSet", f"swaprail-{server}")
    labels = pods["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= labels.items()
    assert pods["spec"]["selector"]["matchLabels"].items() <= labels.items()
    ports = {port["name"]: port["containerPort"] for port in container(BASE, server)["ports"]}
    assert ports[service["spec"]["ports"][0]["targetPort"]] == service["spec"]["ports"][0]["port"]


@pytest.mark.parametrize("server", SERVERS)
def test_password_is_taken_when_given(server: str) -> None:
    values = bundled(**{server: {"password": "given"}})
    assert render(values).one("Secret", "swaprail-bundled")["stringData"][f"{server}-password"] == "given"


def test_passwords_are_long_and_random_when_not_given() -> None:
    one, other = (render(BASE).one("Secret", "swaprail-bundled")["stringData"] for _ in range(2))
    made = [*one.values(), *other.values()]
    assert len(set(made)) == 4
    assert min(map(len, made)) >= 32


def test_servers_read_their_passwords_from_the_secret_when_bundled() -> None:
    for server, variable in (("postgresql", "POSTGRES_PASSWORD"), ("redis", "REDISCLI_AUTH")):
        source = env_of(BASE, server)[variable]["secretKeyRef"]
        assert source == {"name": "swaprail-bundled", "key": f"{server}-password"}
    assert "--requirepass $(REDISCLI_AUTH)" in " ".join(container(BASE, "redis")["command"])


def test_database_is_made_for_the_user_that_services_sign_in_as_when_bundled() -> None:
    env = env_of(BASE, "postgresql")
    assert (env["POSTGRES_USER"], env["POSTGRES_DB"]) == ("swaprail", "swaprail")
    assert env["PGDATA"] == "/var/lib/postgresql/data/pgdata"


def test_database_has_no_volume_when_no_size_is_given() -> None:
    spec = render(BASE).one("StatefulSet", "swaprail-postgresql")["spec"]
    assert "volumeClaimTemplates" not in spec
    assert {"name": "data", "emptyDir": {}} in spec["template"]["spec"]["volumes"]


def test_database_has_a_volume_when_a_size_is_given() -> None:
    values = bundled(postgresql={"storage": {"size": "2Gi", "className": "fast"}})
    spec = render(values).one("StatefulSet", "swaprail-postgresql")["spec"]
    claim = spec["volumeClaimTemplates"][0]
    assert claim["metadata"]["name"] == "data"
    assert claim["spec"]["resources"]["requests"]["storage"] == "2Gi"
    assert claim["spec"]["storageClassName"] == "fast"
    assert "data" not in [volume["name"] for volume in spec["template"]["spec"]["volumes"]]


def test_database_admits_as_many_connections_as_given() -> None:
    assert "max_connections=77" in container(bundled(postgresql={"maxConnections": 77}), "postgresql")["args"]


@pytest.mark.parametrize("server", SERVERS)
def test_image_and_resources_are_the_given_ones(server: str) -> None:
    resources = {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "2Gi"}}
    values = bundled(**{server: {"image": "mirror/server:1", "resources": resources}})
    found = container(values, server)
    assert found["image"] == "mirror/server:1"
    assert found["resources"] == resources


@pytest.mark.parametrize("server", SERVERS)
def test_image_comes_from_the_global_registry_when_there_is_one(server: str) -> None:
    values = merged(BASE, {"global": {"imageRegistry": "registry.example.org", "imagePullSecrets": ["pull"]}})
    assert container(values, server)["image"].startswith(f"registry.example.org/{server[:8]}")
    pod = render(values).one("StatefulSet", f"swaprail-{server}")["spec"]["template"]["spec"]
    assert pod["imagePullSecrets"] == [{"name": "pull"}]


@pytest.mark.parametrize("server", SERVERS)
def test_only_the_release_is_let_in_when_traffic_is_denied(server: str) -> None:
    spec = render(BASE).one("NetworkPolicy", f"swaprail-{server}")["spec"]
    assert spec["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == server
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    assert "egress" not in spec
    (rule,) = spec["ingress"]
    release = {"app.kubernetes.io/name": "swaprail", "app.kubernetes.io/instance": "swaprail"}
    assert rule["from"] == [{"podSelector": {"matchLabels": release}}]


@pytest.mark.parametrize("server", SERVERS)
def test_further_peers_are_let_in_when_named(server: str) -> None:
    peer = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "keda"}}}
    spec = render(bundled(**{server: {"extraIngressFrom": [peer]}})).one("NetworkPolicy", f"swaprail-{server}")["spec"]
    assert peer in spec["ingress"][0]["from"]


@pytest.mark.parametrize("server", SERVERS)
def test_no_policy_is_made_when_policies_are_off(server: str) -> None:
    objects = render(merged(BASE, {"networkPolicy": {"enabled": False}}))
    assert not objects.of("NetworkPolicy")


@pytest.mark.parametrize(
    ("values", "change"),
    [
        ({"database": {"sslmode": "require"}}, "set it to prefer"),
        ({"redis": {"tls": {"enabled": True}}}, "set redis.tls.enabled to false"),
        ({"database": {"host": "postgresql.databases"}}, "unset database.host"),
    ],
)
def test_bundled_pair_is_refused_when_values_want_another(values: Object, change: str) -> None:
    with pytest.raises(RefusedError, match=change):
        render(merged(BASE, values))


def test_generated_password_is_text_that_a_url_can_carry() -> None:
    for password in render(BASE).one("Secret", "swaprail-bundled")["stringData"].values():
        assert password.isalnum()
