"""PromQL of panels. Every query keeps to the namespace that the dashboard shows."""

from typing import NamedTuple

WINDOW = "$__rate_interval"


class Query(NamedTuple):
    """One expression of a panel, and what its series are called."""

    expr: str
    legend: str


def series(metric: str, where: str = "") -> str:
    """Return a selector of the namespace's series."""
    return f'{metric}{{namespace="$namespace"{", " + where if where else ""}}}'


def rate(metric: str, *by: str, where: str = "") -> Query:
    """Return a counter's rate, over all pods."""
    return Query(f"sum{_by(by)}(rate({series(metric, where)}[{WINDOW}]))", _legend(by))


def summed(metric: str, *by: str, where: str = "") -> Query:
    """Return a gauge of which each pod tells its own part."""
    return Query(f"sum{_by(by)}({series(metric, where)})", _legend(by))


def highest(metric: str, *by: str, where: str = "") -> Query:
    """Return a gauge of which each pod tells the same, or of which the worst counts."""
    return Query(f"max{_by(by)}({series(metric, where)})", _legend(by))


def quantile(q: float, metric: str, *by: str, where: str = "") -> Query:
    """Return a histogram's quantile, over all pods."""
    buckets = rate(f"{metric}_bucket", *by, "le", where=where).expr
    return Query(f"histogram_quantile({q}, {buckets})", f"{_legend(by)} p{q * 100:.4g}".strip())


def quantiles(metric: str, *by: str, where: str = "") -> list[Query]:
    """Return p50, p95 and p99."""
    return [quantile(q, metric, *by, where=where) for q in (0.5, 0.95, 0.99)]


def mean(metric: str, *by: str, where: str = "") -> Query:
    """Return a histogram's mean, over all pods."""
    return share(rate(f"{metric}_sum", *by, where=where), rate(f"{metric}_count", *by, where=where), _legend(by))


def share(part: Query, whole: Query, legend: str) -> Query:
    """Return a query as a share of another."""
    return Query(f"{part.expr} / {whole.expr}", legend)


def by_service(values: str, *by: str, how: str = "sum") -> Query:
    """Return values of pods by the service that runs in them."""
    labels = ("service", *by)
    build = series("swaprail_build_info")
    return Query(f"{how}{_by(labels)}({values} * on (pod) group_left (service) {build})", _legend(labels))


def named(legend: str, query: Query) -> Query:
    """Return the query under another name."""
    return query._replace(legend=legend)


def _by(labels: tuple[str, ...]) -> str:
    return f" by ({', '.join(labels)}) " if labels else ""


def _legend(by: tuple[str, ...]) -> str:
    return " ".join(f"{{{{{label}}}}}" for label in by if label != "le")
