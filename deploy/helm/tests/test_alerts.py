"""Alerts: each tells what it means, has a page, and is tested both ways."""

import re

import pytest
from deploy.helm.tests.promql import known, unknown
from deploy.helm.tests.watching import alert_names, dashboards, rule_checks, rules, runbook_names

from swaprail.telemetry.slo import OBJECTIVES, Objective

ALERTS = rules("alert")
SEVERITIES = {"page", "ticket", "info"}


def test_alert_says_all_a_person_needs_when_it_fires() -> None:
    uids = {dashboard["uid"] for dashboard in dashboards()}
    for alert in ALERTS:
        name, notes = alert["alert"], alert["annotations"]
        assert name.startswith("Swaprail"), name
        assert set(notes) == {"summary", "description", "runbook_url", "dashboard"}, name
        assert notes["runbook_url"] == f"RUNBOOK_BASE_URL/{name}.md", name
        assert notes["dashboard"] in uids, name
        assert "$labels.namespace" in notes["summary"] or "$labels.pod" in notes["summary"], name


def test_severity_is_one_of_three_when_an_alert_has_it() -> None:
    assert {alert["alert"]: alert["labels"] for alert in ALERTS if set(alert["labels"]) != {"severity"}} == {}
    assert {alert["labels"]["severity"] for alert in ALERTS} == SEVERITIES


def test_alert_and_page_are_named_alike_when_one_is_added() -> None:
    assert runbook_names() == alert_names()


def test_alert_fires_in_a_promtool_test_when_it_has_a_severity() -> None:
    fired = {
        (check["alertname"], alert["exp_labels"]["severity"])
        for check in rule_checks()
        for alert in check["exp_alerts"]
    }
    assert fired == {(alert["alert"], alert["labels"]["severity"]) for alert in ALERTS}


def test_every_alert_keeps_quiet_in_a_promtool_test_when_nothing_is_wrong() -> None:
    assert {check["alertname"] for check in rule_checks() if not check["exp_alerts"]} == alert_names()


def test_installs_do_not_mix_when_one_of_them_fires() -> None:
    expected = [(check["alertname"], alert) for check in rule_checks() for alert in check["exp_alerts"]]
    assert [name for name, alert in expected if "namespace" not in alert["exp_labels"]] == []
    assert [name for name, alert in expected if not alert.get("exp_annotations")] == []


def test_series_exist_when_a_rule_names_them() -> None:
    series = known()
    missing = {rule.get("alert") or rule["record"]: unknown(rule["expr"], series) for rule in rules("expr")}
    assert {name: names for name, names in missing.items() if names} == {}


@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda objective: str(objective.name))
def test_recorded_bound_is_the_objectives_when_events_are_judged(objective: Objective) -> None:
    bad = [
        r for r in rules("record") if r["record"].endswith("bad_events:rate5m") and r["labels"]["slo"] == objective.name
    ]
    assert len(bad) == 1
    bounds = [float(bound) for bound in re.findall(r'le="([^"]+)"', bad[0]["expr"])]
    assert bounds == ([] if objective.threshold_s is None else [objective.threshold_s])


def test_metric_or_label_is_reported_when_it_does_not_exist() -> None:
    series = {"known_total": {"namespace", "result"}}
    assert unknown('sum by (result) (rate(known_total{result=~"a|b{c}"}[5m])) > 0.5 and absent_total', series) == [
        "absent_total"
    ]
    assert unknown('known_total{color="red"}', series) == ["known_total{color}"]
