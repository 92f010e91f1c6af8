"""The alerts as a PrometheusRule."""

from collections.abc import Iterator

import pytest
import yaml
from deploy.helm.tests.rendering import CHART, Object, RefusedError, ci_values, merged, render

BASE = merged(ci_values("minimal"), {"checkKinds": False})


def rules_of(groups: list[Object]) -> list[Object]:
    return [rule for group in groups for rule in group["rules"]]


def written() -> list[Object]:
    return [
        group for path in sorted(CHART.glob("alerts/*.yaml")) for group in yaml.safe_load(path.read_text())["groups"]
    ]


def prometheus_rule(**values: object) -> Object:
    values = {"monitoring": {"prometheusRule": {"enabled": True, **values}}}
    return render(merged(BASE, values)).one("PrometheusRule", "swaprail")


def rendered(**values: object) -> list[Object]:
    groups: list[Object] = prometheus_rule(**values)["spec"]["groups"]
    return groups


def alerts(groups: list[Object]) -> Iterator[Object]:
    return (rule for rule in rules_of(groups) if "alert" in rule)


def test_no_rules_are_made_when_not_asked_for() -> None:
    assert not render(BASE).of("PrometheusRule")


def test_every_rule_is_as_written_when_nothing_is_left_out() -> None:
    text = yaml.safe_dump(written()).replace("RUNBOOK_BASE_URL", "docs/runbooks")
    assert rendered() == yaml.safe_load(text)


def test_runbooks_are_where_the_value_says_when_given() -> None:
    found = list(alerts(rendered(runbookBaseUrl="https://wiki.example.org/r")))
    assert found
    for alert in found:
        assert alert["annotations"]["runbook_url"] == f"https://wiki.example.org/r/{alert['alert']}.md"


def test_alerts_alone_get_labels_when_given() -> None:
    for rule in rules_of(rendered(alertLabels={"team": "trading"})):
        assert (rule.get("labels", {}).get("team") == "trading") == ("alert" in rule)


def test_severity_is_kept_when_labels_are_added() -> None:
    assert {alert["labels"]["severity"] for alert in alerts(rendered(alertLabels={"team": "trading"}))} >= {"page"}


def test_alert_is_left_out_when_disabled() -> None:
    name = next(alerts(written()))["alert"]
    left = [rule.get("alert") for rule in rules_of(rendered(disabledAlerts=[name]))]
    assert left == [rule.get("alert") for rule in rules_of(written()) if rule.get("alert") != name]


def test_group_is_left_out_when_all_its_alerts_are_disabled() -> None:
    group = next(group for group in written() if all("alert" in rule for rule in group["rules"]))
    names = sorted({rule["alert"] for rule in group["rules"]})
    assert group["name"] not in [left["name"] for left in rendered(disabledAlerts=names)]


def test_unknown_alert_is_refused_when_disabled() -> None:
    with pytest.raises(RefusedError, match="names NoSuchAlert, which is no alert of this chart: choose among"):
        prometheus_rule(disabledAlerts=["NoSuchAlert"])


def test_labels_and_annotations_are_set_when_given() -> None:
    metadata = prometheus_rule(labels={"release": "kps"}, annotations={"note": "x"})["metadata"]
    assert metadata["labels"]["release"] == "kps"
    assert metadata["annotations"] == {"note": "x"}


def test_rules_are_refused_when_the_cluster_does_not_know_them() -> None:
    values = merged(BASE, {"checkKinds": True, "monitoring": {"prometheusRule": {"enabled": True}}})
    with pytest.raises(RefusedError, match=r"--api-versions monitoring\.coreos\.com/v1/PrometheusRule"):
        render(values)
