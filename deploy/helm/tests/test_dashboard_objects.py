"""The dashboards as ConfigMaps for Grafana's sidecar."""

import json

import pytest
from deploy.helm.tests.rendering import CHART, Object, ci_values, merged, render

BASE = ci_values("minimal")
FILES = sorted(CHART.glob("dashboards/*.json"))
LARGEST_OBJECT = 1024 * 1024


def rendered(**values: object) -> list[Object]:
    objects = render(merged(BASE, {"monitoring": {"dashboards": {"enabled": True, **values}}}))
    return [found for found in objects.of("ConfigMap") if "-dashboard-" in found["metadata"]["name"]]


def test_no_dashboards_are_made_when_not_asked_for() -> None:
    assert not [found for found in render(BASE).of("ConfigMap") if "-dashboard-" in found["metadata"]["name"]]


def test_each_dashboard_has_a_config_map_when_on() -> None:
    assert FILES
    names = sorted(found["metadata"]["name"] for found in rendered())
    assert names == [f"swaprail-dashboard-{path.stem}" for path in FILES]


def test_dashboard_is_as_written_when_on() -> None:
    found = {found["metadata"]["name"]: found["data"] for found in rendered()}
    for path in FILES:
        data = found[f"swaprail-dashboard-{path.stem}"]
        assert json.loads(data[f"trading-{path.stem}.json"]) == json.loads(path.read_text())


def test_config_map_is_small_enough_when_on() -> None:
    assert max(len(json.dumps(found)) for found in rendered()) < LARGEST_OBJECT


def test_sidecar_finds_them_when_no_label_is_given() -> None:
    for found in rendered():
        assert found["metadata"]["labels"]["grafana_dashboard"] == "1"
        assert found["metadata"]["annotations"]["grafana_folder"] == "Swaprail"


@pytest.mark.parametrize("kind", ["labels", "annotations"])
def test_labels_and_annotations_are_set_when_given(kind: str) -> None:
    for found in rendered(**{kind: {"find": "me"}}):
        assert found["metadata"][kind]["find"] == "me"
