"""The migration: a Job whose name follows its pods, or a hook, or nothing."""

import pytest
from deploy.helm.tests.pods import container, migration, minimal
from deploy.helm.tests.rendering import Object, Rendered

JOB = "swaprail-migration"
HOOK: Object = {"migration": {"mode": "hook"}}


def name(objects: Rendered) -> str:
    return str(migration(objects)["metadata"]["name"])


def test_job_is_no_hook_and_ends_when_nothing_is_said() -> None:
    job = migration(minimal())
    assert "annotations" not in job["metadata"]
    assert job["spec"]["backoffLimit"] == 10
    assert job["spec"]["activeDeadlineSeconds"] == 1800
    assert "ttlSecondsAfterFinished" not in job["spec"]
    spec = job["spec"]["template"]["spec"]
    assert spec["restartPolicy"] == "Never"
    assert spec["containers"][0]["command"] == ["swaprail-migrate"]


def test_job_keeps_its_name_when_its_pods_stay_the_same() -> None:
    assert name(minimal()) == name(minimal({"api": {"config": {"LOG_LEVEL": "DEBUG"}}}))
    assert name(minimal()) == name(minimal({"migration": {"backoffLimit": 2, "annotations": {"a": "b"}}}))


@pytest.mark.parametrize(
    "values",
    [
        {"image": {"tag": "0.2.0"}},
        {"database": {"secretKeys": {"url": "other"}}},
        {"database": {"sslmode": "require"}},
        {"migration": {"resources": {"limits": {"memory": "1Gi"}}}},
        {"migration": {"podAnnotations": {"again": "1"}}},
        {"defaults": {"nodeSelector": {"pool": "b"}}},
    ],
)
def test_job_has_another_name_when_its_pods_differ(values: Object) -> None:
    assert name(minimal(values)) != name(minimal())


def test_job_is_another_when_a_password_by_value_differs() -> None:
    def named(password: str) -> str:
        given = {"existingSecret": "", "secretKeys": {"url": ""}, "host": "pg.example", "password": password}
        return name(minimal({"database": given}))

    assert named("one") != named("two")


def test_name_fits_a_label_when_the_release_has_a_long_one() -> None:
    objects = minimal({"fullnameOverride": "a" * 60})
    assert len(name(objects)) <= 63
    assert name(objects).startswith("a" * 40)


def test_limits_of_the_job_are_the_given_ones() -> None:
    given = {"backoffLimit": 1, "activeDeadlineSeconds": 60, "ttlSecondsAfterFinished": 0}
    spec = migration(minimal({"migration": given}))["spec"]
    assert {key: spec[key] for key in given} == given


def test_job_has_no_deadline_when_it_is_unset() -> None:
    assert "activeDeadlineSeconds" not in migration(minimal({"migration": {"activeDeadlineSeconds": None}}))["spec"]


def test_job_is_annotated_when_asked_for() -> None:
    annotations = {"argocd.argoproj.io/sync-options": "Force=true,Replace=true"}
    assert migration(minimal({"migration": {"annotations": annotations}}))["metadata"]["annotations"] == annotations


def test_job_account_and_policy_come_before_the_release_when_it_is_a_hook() -> None:
    objects = minimal(HOOK, {"migration": {"annotations": {"mine": "1"}}})
    annotations = migration(objects)["metadata"]["annotations"]
    assert name(objects) == JOB
    assert annotations["helm.sh/hook"] == "pre-install,pre-upgrade"
    assert annotations["helm.sh/hook-delete-policy"] == "before-hook-creation"
    assert annotations["mine"] == "1"
    for kind in ("ServiceAccount", "NetworkPolicy"):
        found = objects.one(kind, JOB)["metadata"]["annotations"]
        assert found["helm.sh/hook"] == "pre-install,pre-upgrade"
        assert int(found["helm.sh/hook-weight"]) < int(annotations["helm.sh/hook-weight"])


def test_hook_reads_nothing_of_the_chart_as_nothing_is_there_yet() -> None:
    (found,) = migration(minimal(HOOK))["spec"]["template"]["spec"]["containers"]
    assert "envFrom" not in found
    assert "swaprail-database" in str(found["env"])


def test_nothing_is_made_when_migrations_are_run_by_hand() -> None:
    objects = minimal({"migration": {"mode": "none"}})
    assert objects.of("Job") == []
    assert [item["metadata"]["name"] for item in objects if "migration" in item["metadata"]["name"]] == []


def test_migration_has_its_settings_when_given() -> None:
    (found,) = migration(minimal({"migration": {"config": {"MIGRATE_TURN_S": 900}}}))["spec"]["template"]["spec"][
        "containers"
    ]
    assert {"name": "MIGRATE_TURN_S", "value": "900"} in found["env"]


def test_migration_takes_over_the_defaults_of_pods() -> None:
    given: Object = {
        "priorityClassName": "high",
        "nodeSelector": {"pool": "trading"},
        "tolerations": [{"key": "trading", "operator": "Exists"}],
        "affinity": {"nodeAffinity": {}},
    }
    spec = migration(minimal({"defaults": given}))["spec"]["template"]["spec"]
    assert {key: spec[key] for key in given} == given


def test_own_values_win_when_defaults_have_others() -> None:
    extra = [{"name": "PGOPTIONS", "value": "-c statement_timeout=0"}]
    objects = minimal({"migration": {"extraEnv": extra, "serviceAccount": {"name": "migrator"}}})
    spec = migration(objects)["spec"]["template"]["spec"]
    assert extra[0] in spec["containers"][0]["env"]
    assert extra[0] not in container(objects, "api")["env"]
    assert spec["serviceAccountName"] == "migrator"
    assert objects.one("ServiceAccount", "migrator")
