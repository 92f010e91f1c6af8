"""The schema of the values: complete, described, and open only where Kubernetes' own objects are passed on."""

import json
from collections.abc import Iterator

import pytest
from deploy.helm.tests.rendering import CHART, Object, RefusedError, ci_values, merged, render

SCHEMA: Object = json.loads((CHART / "values.schema.json").read_text())
DEFINITIONS: Object = SCHEMA["definitions"]
SAYS_WHAT_IT_IS = {"type", "enum", "anyOf", "$ref"}


def named(node: Object, where: str) -> Iterator[tuple[str, Object]]:
    """Yield every property below a node with its path."""
    for name, found in node.get("properties", {}).items():
        yield f"{where}{name}", found
        yield from named(found, f"{where}{name}.")


def everything() -> Iterator[tuple[str, Object]]:
    yield from named(SCHEMA, "")
    for name, node in DEFINITIONS.items():
        yield f"definition {name}", node
        yield from named(node, f"definition {name}.")


def meaning(node: Object) -> str:
    shared = DEFINITIONS[node["$ref"].rpartition("/")[2]] if "$ref" in node else {}
    return str(node.get("description") or shared.get("description", ""))


def test_every_property_says_what_it_is() -> None:
    assert [where for where, node in everything() if not SAYS_WHAT_IT_IS & set(node)] == []


def test_every_property_says_what_it_means() -> None:
    assert [where for where, node in everything() if not meaning(node)] == []


def test_objects_name_all_they_may_hold_unless_they_are_open() -> None:
    closed = [(where, node) for where, node in everything() if "properties" in node and where != "global"]
    assert closed
    assert [where for where, node in closed if node.get("additionalProperties") is not False] == []


@pytest.mark.parametrize("name", ["monitorring", "database"])
def test_unknown_value_is_refused_when_given(name: str) -> None:
    with pytest.raises(RefusedError, match=r"'(unheard|monitorring)' not allowed"):
        render(merged(ci_values("minimal"), {name: {"unheard": 1}}))


def test_unknown_global_value_is_admitted_when_the_chart_is_a_part_of_another() -> None:
    assert render(merged(ci_values("minimal"), {"global": {"theirs": {"any": "thing"}}}))


@pytest.mark.parametrize(
    "values",
    [
        {"bundled": {"postgresql": {"maxConnections": 1}}},
        {"bundled": {"postgresql": {"storage": {"size": "big"}}}},
        {"bundled": {"redis": {"image": ""}}},
        {"monitoring": {"podMonitor": {"interval": "often"}}},
        {"monitoring": {"prometheusRule": {"disabledAlerts": ["A", "A"]}}},
        {"monitoring": {"prometheusRule": {"runbookBaseUrl": ""}}},
        {"monitoring": {"dashboards": {"labels": {"grafana_dashboard": 1}}}},
        {"orderTest": {"tries": 0}},
        {"orderTest": {"timeoutSeconds": 1}},
        {"extraObjects": [1]},
    ],
)
def test_value_is_refused_when_it_cannot_be_right(values: Object) -> None:
    with pytest.raises(RefusedError, match="specifications of the schema"):
        render(merged(ci_values("minimal"), values))


def test_every_value_is_explained_in_the_readme() -> None:
    rows = [line for line in (CHART / "README.md").read_text().splitlines() if line.startswith("| ")]
    assert len(rows) > 100
    assert [row for row in rows if row.endswith("|  |")] == []
