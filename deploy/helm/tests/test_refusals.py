"""Values that contradict each other do not render, and the message says what to change."""

import pytest
from deploy.helm.tests.pods import PARTS, minimal
from deploy.helm.tests.rendering import Object, RefusedError, merged, render

DIGEST = f"sha256:{'a' * 64}"
BY_VALUE: Object = {"existingSecret": "", "secretKeys": {"url": ""}}


def scaling(component: str, **values: object) -> Object:
    return {component: {"autoscaling": values}}


REFUSED: list[tuple[str, Object, str]] = [
    ("no database", {"database": BY_VALUE}, "There is no database: set database.host"),
    ("no redis", {"redis": BY_VALUE}, "There is no redis: set redis.host"),
    ("no cursor secret", {"secrets": {"existingSecret": ""}}, "set secrets.existingSecret"),
    (
        "no key of the cursor secret",
        {"secrets": {"secretKeys": {"cursorSecret": ""}}},
        "secrets.secretKeys.cursorSecret",
    ),
    ("no key that signs", {"secrets": {"existingSecret": "", "cursorSecret": "c"}}, "There is no key that signs swaps"),
    (
        "no key of the key that signs",
        {"secrets": {"secretKeys": {"paperSignerSeed": ""}}},
        "secrets.secretKeys.paperSignerSeed",
    ),
    ("secret without keys", {"database": {"host": "pg", "secretKeys": {"url": ""}}}, "database.secretKeys under which"),
    ("keys without secret", {"redis": {"existingSecret": ""}}, "name it in redis.existingSecret"),
    ("url beside a secret", {"database": {"url": "postgresql://pg/d"}}, "put them into that Secret"),
    ("password beside a secret", merged(PARTS, {"redis": {"password": "p"}}), "put them into that Secret"),
    ("url and parts", {"database": {"host": "pg"}}, "database is given as a URL and in parts"),
    ("url and keys of parts", {"redis": {"secretKeys": {"password": "p"}}}, "redis is given as a URL and in parts"),
    ("bundled beside external", {"bundled": {"enabled": True}}, "bundled.enabled brings its own database"),
    (
        "authority twice",
        {"database": {"sslmode": "require", "ca": {"existingSecret": "a", "existingConfigMap": "b"}}},
        "database.ca names a Secret and a ConfigMap",
    ),
    ("authority unverified", {"database": {"ca": {"existingSecret": "ca"}}}, "choose verify-full"),
    (
        "authority without TLS",
        merged(PARTS, {"redis": {"ca": {"existingSecret": "ca"}}}),
        "set redis.tls.enabled",
    ),
    ("TLS beside a URL", {"redis": {"tls": {"enabled": True}}}, "say rediss://"),
    ("number beside a URL", {"redis": {"database": 1}}, "the number in the URL"),
    ("secret by value beside a secret", {"secrets": {"cursorSecret": "c"}}, "put them into that Secret"),
    ("generating beside a secret", {"secrets": {"generate": True}}, "put them into that Secret"),
    ("tag and digest", {"api": {"image": {"tag": "1", "digest": DIGEST}}}, "api.image has a digest and a tag"),
    (
        "rollout that cannot move",
        {"router": {"rollingUpdate": {"maxSurge": 0}}},
        "router.rollingUpdate lets no pod go and none come",
    ),
    (
        "variable twice",
        {"api": {"extraEnv": [{"name": "WORKER_NAME", "value": "me"}]}},
        "api.extraEnv sets WORKER_NAME, which is set already",
    ),
    ("one account for all", {"defaults": {"serviceAccount": {"name": "a"}}}, "<component>.serviceAccount"),
    ("bounds", scaling("api", minReplicas=5, maxReplicas=4), "api.autoscaling.minReplicas 5 is above maxReplicas 4"),
    ("bounds of all", {"defaults": {"autoscaling": {"maxReplicas": 1}}}, "notifier.autoscaling.minReplicas"),
    ("replicas beside an autoscaler", {"api": {"replicas": 3}}, "api.replicas would fight the autoscaler"),
    (
        "nothing to scale on",
        scaling("api", targetCPUUtilizationPercentage=None),
        "set targetCPUUtilizationPercentage or metrics",
    ),
    (
        "share of no request",
        {"api": {"resources": {"requests": {"cpu": None}}}},
        "set api.resources.requests.cpu",
    ),
    ("metrics without hpa", scaling("api", mode="none", metrics=[{"type": "Pods"}]), "are for mode hpa"),
    ("KEDA with a URL", {"checkKinds": False} | scaling("executor", mode="keda"), "KEDA reads no URL"),
    (
        "KEDA with a ConfigMap",
        merged(
            PARTS,
            scaling("router", mode="keda"),
            {"checkKinds": False, "redis": {"tls": {"enabled": True}, "ca": {"existingConfigMap": "ca"}}},
        ),
        "KEDA reads no ConfigMap",
    ),
    ("KEDA for the API", scaling("api", mode="keda"), "/api/autoscaling/mode"),
    ("KEDA for all", {"defaults": {"autoscaling": {"mode": "keda"}}}, "/defaults/autoscaling/mode"),
    (
        "hook before its secret",
        {"migration": {"mode": "hook"}, "database": BY_VALUE | {"host": "pg", "password": "p"}},
        "before the chart's own Secret is there",
    ),
    (
        "hook before its database",
        {"migration": {"mode": "hook"}, "bundled": {"enabled": True}, "database": BY_VALUE, "redis": BY_VALUE},
        "before the bundled database is there",
    ),
    (
        "ingress and route",
        {"ingress": {"enabled": True}, "httpRoute": {"enabled": True}, "checkKinds": False},
        "ingress and httpRoute are both enabled",
    ),
    ("route without gateway", {"httpRoute": {"enabled": True}, "checkKinds": False}, "httpRoute.parentRefs"),
    ("ingress that is denied", {"ingress": {"enabled": True}}, "networkPolicy.ingressFrom"),
    ("scraping that is denied", {"monitoring": {"scrapeAnnotations": True}}, "networkPolicy.metricsFrom"),
]


@pytest.mark.parametrize(("values", "message"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_values_are_refused_when_they_contradict_each_other(values: Object, message: str) -> None:
    with pytest.raises(RefusedError) as refused:
        minimal(values)
    assert message in str(refused.value)


def test_everything_that_is_missing_is_told_at_once_when_nothing_is_given() -> None:
    with pytest.raises(RefusedError) as refused:
        render({})
    for message in ("no database", "no redis", "no secret that signs cursors"):
        assert message in str(refused.value)


@pytest.mark.parametrize(
    "values",
    [
        {"image": {"pullPolicy": "Sometimes"}},
        {"api": {"image": {"digest": "sha256:short"}}},
        {"database": {"sslmode": "maybe"}},
        {"database": {"port": 0}},
        {"redis": {"url": "http://redis"}},
        {"secrets": {"wsTicketSecret": "short"}},
        {"secrets": {"paperSignerSeed": "not hex"}},
        {"migration": {"mode": "sometimes"}},
        {"executor": {"drainSeconds": 0}},
        {"router": {"autoscaling": {"keda": {"lagCount": 0}}}},
        {"tracing": {"endpoint": "collector:4318"}},
        {"tracing": {"sampleRatio": 2}},
        {"trustedProxies": ["everyone"]},
        {"ingress": {"enabled": "yes"}},
    ],
)
def test_value_is_refused_when_it_cannot_be_right(values: Object) -> None:
    with pytest.raises(RefusedError, match="specifications of the schema"):
        minimal(values)
