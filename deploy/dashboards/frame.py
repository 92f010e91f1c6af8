"""A dashboard around its panels: variables, links, annotations, places."""

from collections.abc import Iterable

from deploy.dashboards.panels import DATASOURCE, Json

SCHEMA_VERSION = 41
COLUMNS = 24
NAMES = {
    "swaprail-overview": "Overview",
    "swaprail-venues": "Venues and routing",
    "swaprail-executor": "Executor",
    "swaprail-streams": "Streams, outbox and database",
    "swaprail-websocket": "WebSocket",
}


def dashboard(uid: str, description: str, panels: Iterable[Json]) -> Json:
    """Return a dashboard whose panels flow from left to right."""
    return {
        "uid": uid,
        "title": f"Swaprail / {NAMES[uid]}",
        "description": description,
        "tags": ["swaprail"],
        "schemaVersion": SCHEMA_VERSION,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "",
        "templating": {"list": _variables()},
        "annotations": {"list": [_firing_alerts()]},
        "links": [_link(other) for other in NAMES if other != uid],
        "panels": _placed(panels),
    }


def _placed(panels: Iterable[Json]) -> list[Json]:
    placed: list[Json] = []
    x = y = height = 0
    for number_, panel in enumerate(panels, start=1):
        size = panel.get("gridPos", {"h": 1, "w": COLUMNS})
        if x + size["w"] > COLUMNS or size["h"] != height:
            x, y = 0, y + height
        placed.append({**panel, "id": number_, "gridPos": {**size, "x": x, "y": y}})
        x, height = x + size["w"], size["h"]
    return placed


def _variables() -> list[Json]:
    datasource = {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"}
    query = "label_values(swaprail_build_info, namespace)"
    namespace = {
        "name": "namespace",
        "label": "Namespace",
        "type": "query",
        "datasource": DATASOURCE,
        "definition": query,
        "query": {"query": query, "refId": "namespace"},
        "refresh": 2,
        "sort": 1,
    }
    return [datasource, namespace]


def _firing_alerts() -> Json:
    return {
        "name": "Alerts",
        "enable": True,
        "iconColor": "red",
        "datasource": DATASOURCE,
        "expr": 'ALERTS{alertname=~"Swaprail.+", namespace="$namespace", alertstate="firing", severity!="info"}',
        "titleFormat": "{{alertname}}",
        "tagKeys": "severity",
        "step": "60s",
    }


def _link(uid: str) -> Json:
    return {
        "type": "link",
        "title": NAMES[uid],
        "url": f"/d/{uid}",
        "icon": "dashboard",
        "includeVars": True,
        "keepTime": True,
        "targetBlank": False,
    }
