"""Grafana dashboards, described in Python and written as JSON by `make dashboards`."""
