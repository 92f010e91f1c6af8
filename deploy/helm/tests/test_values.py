"""No value is decorative: each one, changed, changes what is rendered."""

import json
from collections.abc import Iterator
from functools import cache

import pytest
import yaml
from deploy.helm.tests.pods import MINIMAL, PARTS
from deploy.helm.tests.rendering import CHART, Object, merged, template

VALUES: Object = yaml.safe_load((CHART / "values.yaml").read_text())
PEERS: list[Object] = [{"podSelector": {}}]
NOTHING: Object = {"existingSecret": "", "secretKeys": {"url": ""}}
BY_PARTS = {"database": PARTS["database"], "redis": PARTS["redis"]}
KEDA: Object = merged(BY_PARTS, {"router": {"autoscaling": {"mode": "keda"}}})
TRIAL = {"database": NOTHING, "redis": NOTHING, "bundled": {"enabled": True}}
BASE = merged(MINIMAL, {"checkKinds": False, "networkPolicy": {"ingressFrom": PEERS, "metricsFrom": PEERS}})

# What a value needs beside it to matter, by the beginning of its path; the longest one that fits counts.
NEEDS: dict[str, Object] = {
    "bundled": TRIAL,
    "database": merged(BY_PARTS, {"database": {"sslmode": "require"}}),
    "database.existingSecret": {},
    "database.ca": {"database": {"sslmode": "require"}},
    "database.ca.key": {"database": {"sslmode": "require", "ca": {"existingSecret": "ca"}}},
    "database.password": {"database": NOTHING | {"host": "pg"}},
    "database.url": {"database": NOTHING | {"url": "postgresql://first/orders"}},
    "database.secretKeys.url": {},
    "defaults.autoscaling.keda": KEDA,
    "defaults.autoscaling.keda.prometheus.targetSlotPercentage": merged(
        KEDA, {"router": {"autoscaling": {"keda": {"prometheus": {"serverAddress": "http://prometheus"}}}}}
    ),
    "defaults.replicas": {"defaults": {"autoscaling": {"mode": "none"}}},
    "defaults.serviceAccount.name": {"defaults": {"serviceAccount": {"create": False}}},
    "httpRoute": {"httpRoute": {"enabled": True, "parentRefs": [{"name": "gateway"}]}},
    "httpRoute.enabled": {"httpRoute": {"parentRefs": [{"name": "gateway"}]}},
    "ingress": {"ingress": {"enabled": True}},
    "ingress.enabled": {},
    "redis": merged(BY_PARTS, {"redis": {"tls": {"enabled": True}}}),
    "redis.ca.key": merged(BY_PARTS, {"redis": {"tls": {"enabled": True}, "ca": {"existingSecret": "ca"}}}),
    "redis.existingSecret": {},
    "redis.password": {"redis": NOTHING | {"host": "redis"}},
    "redis.secretKeys.url": {},
    "redis.tls.enabled": BY_PARTS,
    "redis.url": {"redis": NOTHING | {"url": "redis://first"}},
    "secrets.cursorSecret": {"secrets": {"existingSecret": "", "wsTicketSecret": "w" * 32}, "appEnv": "development"},
    "secrets.wsTicketSecret": {"secrets": {"existingSecret": "", "cursorSecret": "c", "paperSignerSeed": "cd" * 32}},
    "secrets.paperSignerSeed": {"secrets": {"existingSecret": "", "cursorSecret": "c"}, "appEnv": "development"},
    "secrets.generate": {"secrets": {"existingSecret": "", "cursorSecret": "c", "paperSignerSeed": "cd" * 32}},
    "networkPolicy.tracingTo": {"tracing": {"endpoint": "http://collector"}},
    "tracing.sampleRatio": {"tracing": {"endpoint": "http://collector"}},
    "monitoring.podMonitor.enabled": {},
    "monitoring.podMonitor": {"monitoring": {"podMonitor": {"enabled": True}}},
    "monitoring.serviceMonitor.enabled": {},
    "monitoring.serviceMonitor": {"monitoring": {"serviceMonitor": {"enabled": True}}},
    "monitoring.prometheusRule.enabled": {},
    "monitoring.prometheusRule": {"monitoring": {"prometheusRule": {"enabled": True}}},
    "monitoring.dashboards.enabled": {},
    "monitoring.dashboards": {"monitoring": {"dashboards": {"enabled": True}}},
}

# Other values, where turning, counting up or adding something to the value that is there does not do.
OTHERS: dict[str, object] = {
    "appEnv": "development",
    "config": {"LOG_LEVEL": "DEBUG"},
    "api.config": {"LOG_LEVEL": "DEBUG"},
    "router.config": {"LOG_LEVEL": "DEBUG"},
    "executor.config": {"LOG_LEVEL": "DEBUG"},
    "notifier.config": {"LOG_LEVEL": "DEBUG"},
    "migration.config": {"MIGRATE_TURN_S": 9},
    "migration.mode": "hook",
    "migration.ttlSecondsAfterFinished": 60,
    "image.pullPolicy": "Always",
    "listen": "::",
    "ipFamilyPolicy": "PreferDualStack",
    "trustedProxies": ["10.0.0.0/8"],
    "global.imagePullSecrets": ["pull"],
    "image.pullSecrets": ["pull"],
    "database.sslmode": "verify-full",
    "database.url": "postgresql://pg/orders",
    "redis.url": "redis://redis",
    "secrets.wsTicketSecret": "x" * 32,
    "secrets.paperSignerSeed": "ab" * 32,
    "defaults.replicas": 7,
    "defaults.autoscaling.mode": "none",
    "defaults.autoscaling.keda.fallback.behavior": "static",
    "defaults.autoscaling.keda.prometheus.serverAddress": "http://prometheus",
    "defaults.podDisruptionBudget.unhealthyPodEvictionPolicy": "IfHealthyBudget",
    "defaults.tmpSizeLimit": "1Gi",
    "ingress.hosts": ["swap.example"],
    "httpRoute.hostnames": ["swap.example"],
    "tracing.endpoint": "http://collector",
    "bundled.postgresql.storage.size": "1Gi",
    "monitoring.podMonitor.interval": "1m",
    "monitoring.podMonitor.scrapeTimeout": "1s",
    "monitoring.serviceMonitor.interval": "1m",
    "monitoring.serviceMonitor.scrapeTimeout": "1s",
    "monitoring.prometheusRule.disabledAlerts": ["SwaprailChainErrors"],
    "extraObjects": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "extra"}}],
}
# Checked apart: the first one refuses and renders nothing, the second one decides what else has to be given.
ELSEWHERE = {"checkKinds", "bundled.enabled"}


def leaves(node: Object, where: str = "") -> Iterator[tuple[str, object]]:
    for key, value in node.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, f"{where}{key}.")
        else:
            yield f"{where}{key}", value


def other(path: str, value: object) -> object:
    """Return another value for a leaf of values.yaml."""
    if path in OTHERS:
        return OTHERS[path]
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, float):
        return value / 2
    if isinstance(value, list):
        return [*value, {"name": "another", "key": "another"}]
    if isinstance(value, dict):
        return {"image": {"tag": "9"}}.get(path.rpartition(".")[2], {"another": "another"})
    return "another"


def needs(path: str) -> Object:
    fitting = [start for start in NEEDS if path == start or path.startswith(f"{start}.")]
    return merged(BASE, NEEDS[max(fitting, key=len)]) if fitting else BASE


def nested(path: str, value: object) -> Object:
    for key in reversed(path.split(".")):
        value = {key: value}
    assert isinstance(value, dict)
    return value


@cache
def rendered(values: str) -> str:
    return template(json.loads(values))


@pytest.mark.parametrize(("path", "value"), [leaf for leaf in leaves(VALUES) if leaf[0] not in ELSEWHERE])
def test_every_value_changes_what_is_rendered_when_it_changes(path: str, value: object) -> None:
    before = needs(path)
    after = merged(before, nested(path, other(path, value)))
    assert before != after, "the test changes nothing"
    assert rendered(json.dumps(after)) != rendered(json.dumps(before))


def test_tables_of_this_test_name_values_that_there_are() -> None:
    paths = dict(leaves(VALUES))
    assert [path for path in OTHERS if path not in paths] == []
    assert [start for start in NEEDS if not any(f"{path}.".startswith(f"{start}.") for path in paths)] == []
