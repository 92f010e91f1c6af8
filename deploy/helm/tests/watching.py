"""What watches the engine: alert rules, their promtool tests, dashboards and runbooks, read from the tree."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
RULES = sorted((ROOT / "deploy/helm/swaprail/alerts").glob("*.yaml"))
RULE_TESTS = sorted((ROOT / "deploy/helm/tests/alerts").glob("*_test.yaml"))
DASHBOARDS = sorted((ROOT / "deploy/helm/swaprail/dashboards").glob("*.json"))
RUNBOOKS = ROOT / "docs/runbooks"

type Json = dict[str, Any]


def rules(kind: str) -> list[Json]:
    """Return all rules that are of a kind: alert or record."""
    groups = [group for path in RULES for group in yaml.safe_load(path.read_text())["groups"]]
    return [rule for group in groups for rule in group["rules"] if kind in rule]


def alert_names() -> set[str]:
    """Return the names of all alerts."""
    return {rule["alert"] for rule in rules("alert")}


def rule_checks() -> Iterator[Json]:
    """Yield what promtool is to find: an alert's name, a time, and the alerts expected then."""
    for path in RULE_TESTS:
        for test in yaml.safe_load(path.read_text())["tests"]:
            yield from test["alert_rule_test"]


def dashboards() -> list[Json]:
    """Return all dashboards."""
    return [json.loads(path.read_text()) for path in DASHBOARDS]


def panels() -> list[Json]:
    """Return the panels of all dashboards, without headings."""
    return [panel for dashboard in dashboards() for panel in dashboard["panels"] if panel["type"] != "row"]


def panel_queries() -> list[str]:
    """Return the queries of all panels."""
    return [target["expr"] for panel in panels() for target in panel["targets"]]


def runbook_names() -> set[str]:
    """Return the names of all pages but the index."""
    return {path.stem for path in RUNBOOKS.glob("*.md")} - {"README"}


def code_blocks(name: str, language: str) -> list[str]:
    """Return the code of one language on a runbook's page."""
    text = (RUNBOOKS / f"{name}.md").read_text()
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def promql_blocks() -> list[str]:
    """Return every query that a runbook asks for; an empty line parts two."""
    blocks = [block for name in sorted(runbook_names() | {"README"}) for block in code_blocks(name, "promql")]
    return [query for block in blocks for query in block.split("\n\n")]
