"""Write docs/metrics.md from the metrics that the services declare."""

from pathlib import Path

import swaprail_api.metrics
import swaprail_executor.metrics
import swaprail_notifier.metrics
import swaprail_router.metrics
from swaprail.telemetry import metrics, slo
from swaprail.telemetry.registry import DECLARED, Declared

# Imported for what they declare.
DECLARING = (
    metrics,
    slo,
    swaprail_api.metrics,
    swaprail_router.metrics,
    swaprail_executor.metrics,
    swaprail_notifier.metrics,
)

HEAD = """\
# Metrics

Every service serves its metrics at `/metrics` of `OPS_PORT`, in Prometheus' text format. Labels are enumerations: no order,
wallet, account or address is ever one. Series with labels exist at 0 from the start, so that rates and alerts have something to
work on before the first event. *Whole engine* gauges are read from the database by every router: take the maximum over the
replicas, never the sum.

Besides these, Python's own are there: `process_cpu_seconds_total`, `process_resident_memory_bytes`, `process_open_fds`,
`process_start_time_seconds`, `python_gc_*`, `python_info`.

Written by `make docs` from the declarations; a test fails when it differs from them.
"""
TITLES = {
    "all": "Every service",
    "api, router, executor": "API, router, executor",
    "router, executor, notifier": "Router, executor, notifier",
    "router, executor": "Router, executor",
    "api": "API",
    "router": "Router",
    "executor": "Executor",
    "notifier": "Notifier",
}


def reference_page() -> str:
    """Return the text of docs/metrics.md."""
    parts = [HEAD]
    for of, title in TITLES.items():
        parts.append(f"\n## {title}\n\n| metric | type | labels | meaning |\n|---|---|---|---|\n")
        parts += [_row(declared) for declared in sorted(DECLARED) if declared.of == of]
    parts.append("\n## Buckets\n\n")
    parts += [_buckets(declared) for declared in sorted(DECLARED) if declared.buckets]
    return "".join(parts)


def main() -> None:
    """Write the page into the checkout in the working directory."""
    Path("docs/metrics.md").write_text(reference_page())


def _row(declared: Declared) -> str:
    labels = ", ".join(f"`{label}`" for label in declared.labels)
    return f"| `{declared.name}` | {declared.kind} | {labels} | {declared.meaning} |\n"


def _buckets(declared: Declared) -> str:
    return f"- `{declared.name}`: {', '.join(f'{bound:g}' for bound in declared.buckets)}\n"


if __name__ == "__main__":
    main()
