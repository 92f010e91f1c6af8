"""Which metrics and labels a PromQL expression names, and which there are."""

import re
from collections.abc import Iterator

from deploy.helm.tests.watching import rules

import swaprail_local.metrics_reference  # noqa: F401 - imports whatever declares metrics
from swaprail.telemetry.registry import DECLARED, REGISTRY

TARGET = {"namespace", "pod"}  # what scraping adds to every series
_WORDS = {"and", "or", "unless", "by", "without", "on", "ignoring", "group_left", "group_right", "bool", "offset"}
_SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("",), "gauge": ("",)}
_OURS = {"ALERTS": {"alertname", "alertstate", "severity"}, "up": {"job", "instance"}}


def known() -> dict[str, set[str]]:
    """Return the labels of every series there is: declared by a service, or recorded by a rule."""
    found: dict[str, set[str]] = {sample.name: set() for family in REGISTRY.collect() for sample in family.samples}
    for declared in DECLARED:
        extra = {"le"} if declared.kind == "histogram" else set()
        for suffix in _SUFFIXES[declared.kind]:
            # Of values below 0 the client library exports no sum: it would not only grow.
            if suffix != "_sum" or min(declared.buckets) >= 0:
                found[declared.name + suffix] = {*declared.labels, *extra}
    recorded = {rule["record"]: {"slo", "service"} for rule in rules("record")}
    return {name: labels | TARGET for name, labels in (found | recorded | _OURS).items()}


def unknown(expression: str, series: dict[str, set[str]]) -> list[str]:
    """Return the metrics of an expression that do not exist, and the labels that their metrics do not have."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', '""', expression)
    missing = [name for name in _metrics(bare) if name not in series]
    for name, matchers in re.findall(r"([a-zA-Z_:][\w:]*)\{([^}]*)\}", bare):
        labels = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers))
        missing += [f"{name}{{{label}}}" for label in labels - series.get(name, labels)]
    return missing


def unscoped(expression: str) -> list[str]:
    """Return the metrics of a dashboard's query that are not kept to its namespace."""
    scoped = expression.replace('namespace="$namespace"', "namespace=$")
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', '""', scoped)
    return list(_metrics(re.sub(r"[\w:]+\{[^}]*namespace=\$[^}]*\}", " ", bare)))


def _metrics(bare: str) -> Iterator[str]:
    text = re.sub(r"\{[^}]*\}|\[[^\]]*\]", " ", bare)
    text = re.sub(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", " ", text)
    for match in re.finditer(r"(?<![\w:.$])[a-zA-Z_:][\w:]*(?!\s*\()(?![\w:])", text):
        if match[0] not in _WORDS:
            yield match[0]
