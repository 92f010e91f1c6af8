from pathlib import Path

from swaprail.telemetry.registry import DECLARED, REGISTRY
from swaprail.telemetry.slo import OBJECTIVES
from swaprail_local.metrics_reference import TITLES, reference_page

CHECKOUT = Path(__file__).parents[3]
# Whatever has as many values as there are orders, people or connections is no label.
LABELS = {
    *("call", "code", "command", "dependency", "from_status", "group", "http_request_method", "http_route"),
    *(
        "http_response_status_code",
        "kind",
        "layer",
        "limit",
        "operation",
        "order_type",
        "outcome",
        "pool",
        "reason",
        "result",
    ),
    *("revision", "rule", "scope", "service", "slo", "stage", "state", "status", "stream", "to_status", "type"),
    *("node", "venue", "version", "writer"),
}


def test_the_written_page_is_current_when_compared_with_the_declarations() -> None:
    assert (CHECKOUT / "docs" / "metrics.md").read_text() == reference_page(), "run 'make docs' and commit the result"


def test_every_metric_follows_the_rules_of_naming() -> None:
    for declared in DECLARED:
        assert set(declared.labels) <= LABELS, declared.name
        assert declared.name.endswith("_total") == (declared.kind == "counter"), declared.name
        assert declared.name.split("_")[0] in {"swaprail", "http", "db", "redis"}, declared.name
        assert declared.of in TITLES, declared.name
    assert len({declared.name for declared in DECLARED}) == len(DECLARED)


def test_every_metric_of_the_registry_is_declared() -> None:
    own = {family.name for family in REGISTRY.collect() if not family.name.startswith(("process_", "python_"))}
    assert own == {declared.name.removesuffix("_total") for declared in DECLARED}


def test_every_threshold_of_an_objective_is_a_bound_of_its_histogram() -> None:
    measured_by = {
        "intake_latency": "http_server_request_duration_seconds",
        "completion": "swaprail_order_completion_seconds",
        "push_freshness": "swaprail_push_delay_seconds",
    }
    buckets = {declared.name: declared.buckets for declared in DECLARED}
    thresholds = {o.name: o.threshold_s for o in OBJECTIVES if o.threshold_s is not None}
    assert set(thresholds) == set(measured_by)
    for name, threshold in thresholds.items():
        assert threshold in buckets[measured_by[name]]
