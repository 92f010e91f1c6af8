"""Dashboards: written from their description, complete, and about one namespace."""

import json
import subprocess
import sys
from itertools import combinations
from pathlib import Path

from deploy.helm.tests.promql import known, unknown, unscoped
from deploy.helm.tests.watching import DASHBOARDS, ROOT, Json, dashboards, panel_queries, panels


def test_files_are_current_when_dashboards_are_written_anew(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "deploy.dashboards", str(tmp_path)], cwd=ROOT, check=True, timeout=60)
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    committed = {path.name: path.read_bytes() for path in DASHBOARDS}
    assert written == committed, "run 'make dashboards' and commit the result"


def test_address_stays_when_dashboards_link_to_one_another() -> None:
    uids = {path.stem: json.loads(path.read_text())["uid"] for path in DASHBOARDS}
    assert uids == {name: f"swaprail-{name}" for name in ("executor", "overview", "streams", "venues", "websocket")}
    for dashboard in dashboards():
        linked = {link["url"] for link in dashboard["links"]}
        assert linked == {f"/d/{uid}" for uid in uids.values() if uid != dashboard["uid"]}
        assert dashboard["schemaVersion"] >= 39


def test_meaning_and_unit_are_told_when_a_panel_is_read() -> None:
    for panel in panels():
        assert len(panel["description"]) > 20, panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["targets"], panel["title"]


def test_titles_are_unique_when_panels_share_a_dashboard() -> None:
    for dashboard in dashboards():
        titles = [panel["title"] for panel in dashboard["panels"]]
        assert len(set(titles)) == len(titles)


def test_data_source_and_namespace_are_chosen_when_somebody_looks() -> None:
    for dashboard in dashboards():
        names = [variable["name"] for variable in dashboard["templating"]["list"]]
        assert names == ["datasource", "namespace"]
        uids = {target["datasource"]["uid"] for panel in dashboard["panels"] for target in panel.get("targets", [])}
        assert uids == {"${datasource}"}


def test_series_are_of_the_namespace_when_a_panel_asks() -> None:
    assert {query: unscoped(query) for query in panel_queries() if unscoped(query)} == {}


def test_series_is_reported_when_it_is_of_any_namespace() -> None:
    query = 'sum(one{namespace="$namespace", a="b{c}"}) / sum(other{a="b"}) + third'
    assert unscoped(query) == ["other", "third"]


def test_series_exist_when_a_query_names_them() -> None:
    series = known()
    missing = {query: unknown(query, series) for query in panel_queries()}
    assert {query: names for query, names in missing.items() if names} == {}


def test_panels_do_not_overlap_when_they_are_placed() -> None:
    for dashboard in dashboards():
        places = [panel["gridPos"] for panel in dashboard["panels"]]
        assert [pair for pair in combinations(places, 2) if _overlap(*pair)] == []
        assert all(place["x"] + place["w"] <= 24 for place in places)


def _overlap(one: Json, other: Json) -> bool:
    return all(
        one[at] < other[at] + other[size] and other[at] < one[at] + one[size] for at, size in (("x", "w"), ("y", "h"))
    )
