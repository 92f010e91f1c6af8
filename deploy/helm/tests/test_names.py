"""What objects are called, and where they are."""

import pytest
import yaml
from deploy.helm.tests.pods import COMPONENTS, MINIMAL, minimal
from deploy.helm.tests.rendering import CHART, NAMESPACE, RefusedError, merged, render


def names(values: dict[str, object], release: str) -> set[str]:
    objects = render(merged(MINIMAL, values), release=release)
    return {item["metadata"]["name"] for item in objects.of("Deployment")}


@pytest.mark.parametrize(
    ("values", "release", "prefix"),
    [
        ({}, "swaprail", "swaprail"),
        ({}, "main", "main-swaprail"),
        ({"nameOverride": "orders"}, "main", "main-orders"),
        ({"fullnameOverride": "engine"}, "main", "engine"),
    ],
)
def test_names_begin_with_release_and_chart_unless_overridden(
    values: dict[str, object], release: str, prefix: str
) -> None:
    assert names(values, release) == {f"{prefix}-{component}" for component in COMPONENTS}


def test_pods_carry_another_name_when_it_is_overridden() -> None:
    template = minimal({"nameOverride": "orders", "fullnameOverride": "swaprail"}).one("Deployment", "swaprail-api")
    assert template["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/name"] == "orders"


def test_names_differ_and_labels_tell_what_an_object_is() -> None:
    objects = minimal()
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    keys = [(item["kind"], item["metadata"]["name"]) for item in objects]
    assert len(keys) == len(set(keys))
    for item in objects:
        labels = item["metadata"]["labels"]
        assert labels["app.kubernetes.io/name"] == "swaprail"
        assert labels["app.kubernetes.io/managed-by"] == "Helm"
        assert labels["app.kubernetes.io/version"] == chart["appVersion"]
        assert labels["helm.sh/chart"] == f"swaprail-{chart['version']}"
        assert item["metadata"]["namespace"] == NAMESPACE


@pytest.mark.parametrize("version", ["1.29.0", "1.20.0"])
def test_old_clusters_are_refused(version: str) -> None:
    with pytest.raises(RefusedError, match="incompatible with Kubernetes"):
        render(MINIMAL, f"--kube-version={version}")


@pytest.mark.parametrize("version", ["1.30.0", "1.36.3", "1.32.5-gke.100"])
def test_clusters_are_admitted_from_1_30_on(version: str) -> None:
    assert render(MINIMAL, f"--kube-version={version}")
