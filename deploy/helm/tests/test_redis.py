"""How Redis is reached: out of Secrets, whole or in parts, or by value for a trial."""

import pytest
from deploy.helm.tests.pods import COMPONENTS, PARTS, config, container, migration, minimal, pod, secrets

URL = "rediss://user:hidden@redis.example:7000/3"


@pytest.mark.parametrize("component", COMPONENTS)
def test_url_alone_is_read_when_a_secret_holds_it(component: str) -> None:
    objects = minimal()
    assert secrets(container(objects, component))["REDIS_URL"] == ("swaprail-redis", "url")
    assert [name for name in config(objects, component) if name.startswith("REDIS_")] == []


@pytest.mark.parametrize("component", COMPONENTS)
def test_password_alone_is_secret_when_only_its_key_is_named(component: str) -> None:
    given = {"host": "redis.example", "port": 7000, "username": "swaprail", "database": 3, "tls": {"enabled": True}}
    objects = minimal(PARTS, {"redis": given})
    found = config(objects, component)
    assert {name: value for name, value in found.items() if name.startswith("REDIS_")} == {
        "REDIS_HOST": "redis.example",
        "REDIS_PORT": "7000",
        "REDIS_USERNAME": "swaprail",
        "REDIS_DB": "3",
        "REDIS_TLS": "true",
    }
    assert secrets(container(objects, component))["REDIS_PASSWORD"] == ("redis", "password")


@pytest.mark.parametrize("part", ["host", "port", "username"])
def test_part_is_read_from_the_secret_when_its_key_is_named(part: str) -> None:
    host = "" if part == "host" else "redis.example"
    objects = minimal(PARTS, {"redis": {"host": host, "secretKeys": {part: "k"}}})
    assert secrets(container(objects, "executor"))[f"REDIS_{part.upper()}"] == ("redis", "k")
    assert f"REDIS_{part.upper()}" not in config(objects, "executor")


@pytest.mark.parametrize(
    ("given", "variable", "text"),
    [({"host": "redis.example", "password": "hidden"}, "REDIS_PASSWORD", "hidden"), ({"url": URL}, "REDIS_URL", URL)],
)
def test_secret_is_made_and_no_configmap_has_it_when_given_by_value(
    given: dict[str, str], variable: str, text: str
) -> None:
    objects = minimal({"redis": {"existingSecret": "", "secretKeys": {"url": ""}, **given}})
    assert objects.one("Secret", "swaprail")["stringData"][variable] == text
    for component in COMPONENTS:
        assert secrets(container(objects, component))[variable] == ("swaprail", variable)
    assert "hidden" not in str([item for item in objects if item["kind"] != "Secret"])


def test_migration_knows_nothing_of_redis() -> None:
    assert "redis" not in str(migration(minimal(PARTS))["spec"]).lower()


@pytest.mark.parametrize(("kind", "source"), [("Secret", "secret"), ("ConfigMap", "configMap")])
def test_authority_is_mounted_when_given(kind: str, source: str) -> None:
    authority = {f"existing{kind}": "redis-ca", "key": "root.pem"}
    objects = minimal(PARTS, {"redis": {"tls": {"enabled": True}, "ca": authority}})
    for component in COMPONENTS:
        assert config(objects, component)["REDIS_CA_FILE"] == "/etc/swaprail/redis-ca/ca.crt"
        (volume,) = [volume for volume in pod(objects, component)["volumes"] if volume["name"] == "redis-ca"]
        assert volume[source]["items"] == [{"key": "root.pem", "path": "ca.crt"}]
        mount = {"name": "redis-ca", "mountPath": "/etc/swaprail/redis-ca", "readOnly": True}
        assert mount in container(objects, component)["volumeMounts"]
