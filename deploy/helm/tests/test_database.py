"""How PostgreSQL is reached: out of Secrets, whole or in parts, or by value for a trial."""

import pytest
from deploy.helm.tests.pods import COMPONENTS, PARTS, config, container, deployment, migration, minimal, pod, secrets
from deploy.helm.tests.rendering import Object, Rendered

URL = "postgresql://user:hidden@pg.example:6432/orders"
ROLES = (*COMPONENTS, "migration")


def settings(objects: Rendered, role: str) -> dict[str, str]:
    """Return the settings that are no secret, of a service or the migration."""
    if role != "migration":
        return config(objects, role)
    return {entry["name"]: entry["value"] for entry in own_container(objects, role)["env"] if "value" in entry}


def own_container(objects: Rendered, role: str) -> Object:
    if role != "migration":
        return container(objects, role)
    found: Object = migration(objects)["spec"]["template"]["spec"]["containers"][0]
    return found


def database(**values: object) -> Object:
    """Return values that name no database but by what is given."""
    return {"database": {"existingSecret": "", "secretKeys": {"url": ""}} | values}


def variables(found: dict[str, str], prefix: str) -> dict[str, str]:
    return {name: value for name, value in found.items() if name.startswith(prefix)}


@pytest.mark.parametrize("role", ROLES)
def test_url_alone_is_read_when_a_secret_holds_it(role: str) -> None:
    objects = minimal()
    assert secrets(own_container(objects, role))["DATABASE_URL"] == ("swaprail-database", "url")
    assert "DB_PASSWORD" not in secrets(own_container(objects, role))
    assert variables(settings(objects, role), "DB_") == {"DB_SSLMODE": "prefer"}


@pytest.mark.parametrize("role", ROLES)
def test_password_alone_is_secret_when_only_its_key_is_named(role: str) -> None:
    given = {"host": "pg.example", "port": 6432, "name": "orders", "user": "trader"}
    objects = minimal(PARTS, {"database": given})
    found = settings(objects, role)
    assert {name: found[f"DB_{name.upper()}"] for name in given} == {name: str(value) for name, value in given.items()}
    assert secrets(own_container(objects, role))["DB_PASSWORD"] == ("pg", "password")


@pytest.mark.parametrize("part", ["host", "port", "name", "user"])
def test_part_is_read_from_the_secret_when_its_key_is_named(part: str) -> None:
    objects = minimal(PARTS, {"database": {"host": "" if part == "host" else "pg.example", "secretKeys": {part: "k"}}})
    for role in ROLES:
        assert secrets(own_container(objects, role))[f"DB_{part.upper()}"] == ("pg", "k")
        assert f"DB_{part.upper()}" not in settings(objects, role)


@pytest.mark.parametrize(
    ("values", "variable", "text"),
    [
        (database(host="pg.example", password="hidden"), "DB_PASSWORD", "hidden"),
        (database(url=URL), "DATABASE_URL", URL),
    ],
)
def test_secret_is_made_and_no_configmap_has_it_when_given_by_value(values: Object, variable: str, text: str) -> None:
    objects = minimal(values)
    assert objects.one("Secret", "swaprail")["stringData"][variable] == text
    for role in ROLES:
        assert secrets(own_container(objects, role))[variable] == ("swaprail", variable)
    assert "hidden" not in str([item for item in objects if item["kind"] != "Secret"])


def test_pods_roll_when_a_password_by_value_changes() -> None:
    before, after = (
        deployment(minimal(database(host="pg.example", password=word)), "api")["template"]["metadata"]["annotations"]
        for word in ("one", "two")
    )
    assert before["checksum/secret"] != after["checksum/secret"]


def test_no_secret_is_made_when_all_are_there_already() -> None:
    assert minimal().of("Secret") == []


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(("kind", "source"), [("Secret", "secret"), ("ConfigMap", "configMap")])
def test_authority_is_mounted_and_checked_when_given(role: str, kind: str, source: str) -> None:
    authority = {f"existing{kind}": "pg-ca", "key": "root.pem"}
    objects = minimal({"database": {"sslmode": "verify-full", "ca": authority}})
    found = settings(objects, role)
    assert (found["DB_SSLMODE"], found["DB_SSLROOTCERT"]) == ("verify-full", "/etc/swaprail/database-ca/ca.crt")
    owner = pod(objects, role) if role != "migration" else migration(objects)["spec"]["template"]["spec"]
    (volume,) = [volume for volume in owner["volumes"] if volume["name"] == "database-ca"]
    assert volume[source]["items"] == [{"key": "root.pem", "path": "ca.crt"}]
    assert "pg-ca" in volume[source].values()
    mount = {"name": "database-ca", "mountPath": "/etc/swaprail/database-ca", "readOnly": True}
    assert mount in own_container(objects, role)["volumeMounts"]
