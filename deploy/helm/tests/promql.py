"""Which metrics and labels a PromQL expression names, and which there are."""

import importlib
import pkgutil
import re
from collections.abc import Iterator

from deploy.helm.tests.watching import rules

from swaprail.telemetry.registry import DECLARED, REGISTRY

SERVICES = ("swaprail", "swaprail_api", "swaprail_router", "swaprail_executor", "swaprail_notifier")
# Prometheus adds the first two to every series, the kubelet's scrape has none of its own here.
SCRAPED = {"namespace", "pod", "__name__"}
_WORDS = {"and", "or", "unless", "by", "without", "on", "ignoring", "group_left", "group_right", "bool", "offset"}
_SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("",), "gauge": ("",)}
_OURS = {"ALERTS": {"alertname", "alertstate", "severity"}}


def known() -> dict[str, set[str]]:
    """Return the labels of every series there is: declared by a service, or recorded by a rule."""
    _import_all()
    found: dict[str, set[str]] = {sample.name: set() for family in REGISTRY.collect() for sample in family.samples}
    for declared in DECLARED:
        extra = {"le"} if declared.kind == "histogram" else set()
        for suffix in _SUFFIXES[declared.kind]:
            found[declared.name + suffix] = {*declared.labels, *extra}
    recorded = {rule["record"]: {"slo"} for rule in rules("record")}
    return {name: labels | SCRAPED for name, labels in (found | recorded | _OURS).items()}


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


def _import_all() -> None:
    for name in SERVICES:
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            if module.name.endswith(("metrics", "slo", "measures", "order_lines")):
                importlib.import_module(module.name)
