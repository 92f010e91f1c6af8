"""What a team adds to pods, and what pods are allowed."""

import pytest
from deploy.helm.tests.pods import COMPONENTS, container, deployment, minimal, pod
from deploy.helm.tests.rendering import Object

VOLUME = {"name": "tokens", "configMap": {"name": "tokens"}}
MOUNT = {"name": "tokens", "mountPath": "/etc/tokens"}
SIDECAR = {"name": "sidecar", "image": "sidecar:1"}


@pytest.mark.parametrize("component", COMPONENTS)
def test_pod_is_placed_as_given(component: str) -> None:
    taint = {"key": "trading", "operator": "Exists"}
    given: Object = {
        "priorityClassName": "high",
        "nodeSelector": {"pool": "trading"},
        "affinity": {"nodeAffinity": {"a": "b"}, "podAntiAffinity": {}},
    }
    found = pod(minimal({component: given | {"tolerations": [taint]}}), component)
    assert {key: found[key] for key in given} == given
    assert found["tolerations"][0] == taint
    assert not {"priorityClassName", "nodeSelector"} & set(pod(minimal(), component))


@pytest.mark.parametrize("component", COMPONENTS)
def test_pod_has_what_is_added(component: str) -> None:
    variable = {"name": "HTTPS_PROXY", "value": "http://proxy:3128"}
    source = {"secretRef": {"name": "more"}}
    given: Object = {
        "extraEnv": [variable],
        "extraEnvFrom": [source],
        "extraVolumes": [VOLUME],
        "extraVolumeMounts": [MOUNT],
        "extraContainers": [SIDECAR],
        "initContainers": [SIDECAR],
    }
    objects = minimal({component: given})
    own, whole = container(objects, component), pod(objects, component)
    assert own["env"][-1] == variable
    assert own["envFrom"][-1] == source
    assert VOLUME in whole["volumes"]
    assert MOUNT in own["volumeMounts"]
    assert whole["containers"][-1] == SIDECAR
    assert whole["initContainers"] == [SIDECAR]


def test_labels_and_annotations_go_where_they_belong() -> None:
    objects = minimal(
        {
            "commonLabels": {"team": "trading"},
            "commonAnnotations": {"owner": "me"},
            "api": {
                "podLabels": {"pod": "label"},
                "podAnnotations": {"pod": "annotation"},
                "deploymentAnnotations": {"reloader.stakater.com/auto": "true"},
            },
        }
    )
    whole = objects.one("Deployment", "swaprail-api")
    template = whole["spec"]["template"]["metadata"]
    assert whole["metadata"]["annotations"] == {"owner": "me", "reloader.stakater.com/auto": "true"}
    assert template["annotations"].items() >= {"owner": "me", "pod": "annotation"}.items()
    assert template["labels"].items() >= {"team": "trading", "pod": "label"}.items()
    assert "pod" not in deployment(objects, "router")["template"]["metadata"]["labels"]
    assert [item["metadata"]["name"] for item in objects if item["metadata"]["labels"].get("team") != "trading"] == []
    assert [item["metadata"]["name"] for item in objects if "owner" not in item["metadata"]["annotations"]] == []


@pytest.mark.parametrize("component", COMPONENTS)
def test_selector_does_not_change_when_labels_do(component: str) -> None:
    given = {"commonLabels": {"team": "trading"}, component: {"podLabels": {"pod": "label"}}}
    selector = deployment(minimal(given), component)["selector"]
    assert selector == deployment(minimal(), component)["selector"]
    assert selector["matchLabels"].items() <= deployment(minimal(), component)["template"]["metadata"]["labels"].items()


@pytest.mark.parametrize("component", COMPONENTS)
def test_memory_is_bounded_and_cpu_is_not_when_nothing_is_said(component: str) -> None:
    resources = container(minimal(), component)["resources"]
    assert set(resources["requests"]) == {"cpu", "memory"}
    assert set(resources["limits"]) == {"memory"}


def test_resources_and_security_are_the_given_ones() -> None:
    given: Object = {
        "resources": {"limits": {"cpu": "2"}},
        "podSecurityContext": {"runAsUser": 20002, "fsGroup": 20002},
        "securityContext": {"readOnlyRootFilesystem": False},
        "tmpSizeLimit": "1Gi",
    }
    objects = minimal({"executor": given})
    own, whole = container(objects, "executor"), pod(objects, "executor")
    assert own["resources"]["limits"] == {"cpu": "2", "memory": "512Mi"}
    assert whole["securityContext"].items() >= given["podSecurityContext"].items()
    assert own["securityContext"]["readOnlyRootFilesystem"] is False
    assert {"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}} in whole["volumes"]


@pytest.mark.parametrize("component", COMPONENTS)
def test_pod_has_an_account_of_its_own_without_token(component: str) -> None:
    objects = minimal()
    found = pod(objects, component)
    assert found["serviceAccountName"] == f"swaprail-{component}"
    assert found["automountServiceAccountToken"] is False
    assert found["enableServiceLinks"] is False
    assert objects.one("ServiceAccount", f"swaprail-{component}")["automountServiceAccountToken"] is False


def test_account_is_the_given_one() -> None:
    account = {"name": "trader", "annotations": {"eks.amazonaws.com/role-arn": "arn"}}
    objects = minimal({"executor": {"serviceAccount": account}})
    assert pod(objects, "executor")["serviceAccountName"] == "trader"
    assert objects.one("ServiceAccount", "trader")["metadata"]["annotations"] == account["annotations"]


@pytest.mark.parametrize(("name", "expected"), [("theirs", "theirs"), ("", "default")])
def test_no_account_is_made_when_another_is_used(name: str, expected: str) -> None:
    objects = minimal({"defaults": {"serviceAccount": {"create": False, "name": name}}})
    assert [item["metadata"]["name"] for item in objects.of("ServiceAccount")] == []
    assert {pod(objects, component)["serviceAccountName"] for component in COMPONENTS} == {expected}
