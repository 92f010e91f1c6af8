"""Panels, in the JSON that Grafana reads."""

from collections.abc import Sequence
from typing import Any

from deploy.dashboards.queries import Query

type Json = dict[str, Any]

HEIGHT = 8
DATASOURCE: Json = {"type": "prometheus", "uid": "${datasource}"}


def row(title: str) -> Json:
    """Return a heading over the panels that follow."""
    return {"type": "row", "title": title, "collapsed": False, "panels": []}


def graph(
    title: str,
    description: str,
    unit: str,
    queries: Query | Sequence[Query],
    *,
    bad_above: float | None = None,
    bad_below: float | None = None,
    stacked: bool = False,
    width: int = 8,
) -> Json:
    """Return a panel of lines; bad_above or bad_below draws the line that must not be crossed."""
    custom = {
        "drawStyle": "line",
        "lineWidth": 1,
        "fillOpacity": 25 if stacked else 8,
        "showPoints": "never",
        "stacking": {"mode": "normal" if stacked else "none", "group": "A"},
        "thresholdsStyle": {"mode": "off" if bad_above is bad_below is None else "dashed"},
    }
    options = {
        "legend": {"displayMode": "table", "placement": "bottom", "calcs": ["lastNotNull", "max"], "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    panel = _panel("timeseries", title, description, unit, queries, options, bad_above, bad_below, width)
    panel["fieldConfig"]["defaults"]["custom"] = custom
    return panel


def number(
    title: str,
    description: str,
    unit: str,
    queries: Query | Sequence[Query],
    *,
    bad_above: float | None = None,
    bad_below: float | None = None,
    width: int = 4,
) -> Json:
    """Return a panel with the latest value of each series, red when it is bad."""
    options = {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "colorMode": "value" if bad_above is bad_below is None else "background",
        "graphMode": "area",
        "textMode": "auto",
        "orientation": "auto",
    }
    return _panel("stat", title, description, unit, queries, options, bad_above, bad_below, width)


def _panel(
    kind: str,
    title: str,
    description: str,
    unit: str,
    queries: Query | Sequence[Query],
    options: Json,
    bad_above: float | None,
    bad_below: float | None,
    width: int,
) -> Json:
    queries = [queries] if isinstance(queries, Query) else queries
    return {
        "type": kind,
        "title": title,
        "description": description,
        "datasource": DATASOURCE,
        "gridPos": {"h": HEIGHT if kind == "timeseries" else HEIGHT // 2, "w": width},
        "fieldConfig": {"defaults": {"unit": unit, "thresholds": _thresholds(bad_above, bad_below)}, "overrides": []},
        "options": options,
        "targets": [
            {"refId": chr(ord("A") + at), "datasource": DATASOURCE, "expr": query.expr, "legendFormat": query.legend}
            for at, query in enumerate(queries)
        ],
    }


def _thresholds(bad_above: float | None, bad_below: float | None) -> Json:
    if bad_below is not None:
        steps = [{"color": "red", "value": None}, {"color": "green", "value": bad_below}]
    elif bad_above is not None:
        steps = [{"color": "green", "value": None}, {"color": "red", "value": bad_above}]
    else:
        steps = [{"color": "green", "value": None}]
    return {"mode": "absolute", "steps": steps}
