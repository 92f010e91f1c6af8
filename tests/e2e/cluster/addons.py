"""What stands around the release: metrics for the HPA, an ingress controller, stores, Prometheus, a trace collector, KEDA."""

import hashlib
import json
import os
import secrets
from pathlib import Path
from string import Template

from tests.e2e.cluster.images import image, load
from tests.e2e.cluster.names import CHART, MANIFESTS, NAMESPACE, ROOT
from tests.e2e.cluster.shell import CommandError, kubectl, run

KEDA_VERSION = "2.21.0"
# Where no image registry can be reached, this makes KEDA's images and prints the path of its manifest.
KEDA_MAKER = Path(os.environ.get("KEDA_MAKER", ROOT.parent / "shared" / "kind" / "keda"))
KEDA_IMAGES = (f"ghcr.io/kedacore/keda:{KEDA_VERSION}", f"ghcr.io/kedacore/keda-metrics-apiserver:{KEDA_VERSION}")
KEDA_PUBLIC = f"https://github.com/kedacore/keda/releases/download/v{KEDA_VERSION}/keda-{KEDA_VERSION}-core.yaml"


def _apply(name: str, **values: str) -> None:
    text = (MANIFESTS / f"{name}.yaml").read_text()
    kubectl("apply", "-f", "-", stdin=Template(text).safe_substitute(values) if values else text)


def _configmap(namespace: str, name: str, files: dict[str, str]) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}, "data": files}
    kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(body))


def _secret(namespace: str, name: str, values: dict[str, str]) -> None:
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace}}
    kubectl("apply", "-f", "-", stdin=json.dumps(body | {"stringData": values}))


def make_namespaces() -> None:
    """Make the namespaces; where the release goes, the restricted Pod Security Standard is enforced."""
    restricted = {"pod-security.kubernetes.io/enforce": "restricted"}
    for name, labels in {NAMESPACE: restricted, "stores": {}, "observability": {}}.items():
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
        kubectl("apply", "-f", "-", stdin=json.dumps(body))


def make_secrets() -> None:
    """Make passwords once, and the Secrets that the stores and the release read."""
    try:
        kubectl("get", "secret", "stores", "--namespace", "stores")
    except CommandError:
        passwords = {key: secrets.token_urlsafe(18) for key in ("postgres-password", "redis-password")}
        _secret("stores", "stores", passwords)
        _secret(
            NAMESPACE,
            "swaprail-database",
            {
                "host": "postgres.stores.svc",
                "name": "swaprail",
                "user": "swaprail",
                "password": passwords["postgres-password"],
            },
        )
        _secret(NAMESPACE, "swaprail-redis", {"host": "redis.stores.svc", "password": passwords["redis-password"]})
        keys = {key: secrets.token_hex(32) for key in ("cursor-secret", "ws-ticket-secret", "paper-signer-seed")}
        _secret(NAMESPACE, "swaprail-secrets", keys)


def install_around() -> None:
    """Install what the suite needs around the release, and begin; wait_around waits."""
    make_namespaces()
    make_secrets()
    for name in ("metrics-server", "traefik", "stores"):
        _apply(name)
    _install_prometheus()
    tests = ROOT / "tests"
    programs = {
        "collector.py": tests / "e2e" / "cluster" / "collector.py",
        "otlp_collector.py": tests / "system" / "collector.py",
    }
    _configmap("observability", "collector", {name: path.read_text() for name, path in programs.items()})
    _apply("collector", API_IMAGE=image("api"))


def _install_prometheus() -> None:
    """Install Prometheus with the alert rules of the chart."""
    rules = {path.name: path.read_text() for path in sorted((CHART / "alerts").glob("*.yaml"))}
    _configmap("observability", "rules", rules)
    _apply("prometheus", RULES=hashlib.sha256(json.dumps(rules).encode()).hexdigest())


def wait_around() -> None:
    """Return when all that stands around is available."""
    for namespace, names in {
        "kube-system": ["deployment/metrics-server", "deployment/coredns"],
        "edge": ["deployment/traefik"],
        "stores": ["statefulset/postgres", "deployment/redis"],
        "observability": ["deployment/prometheus", "deployment/collector"],
    }.items():
        for name in names:
            kubectl("rollout", "status", name, "--namespace", namespace, "--timeout=180s", timeout_s=200)


def install_keda() -> None:
    """Install KEDA and wait until it serves."""
    if KEDA_MAKER.exists():
        manifest = run([KEDA_MAKER], timeout_s=1500).strip().splitlines()[-1]
        load(*KEDA_IMAGES)
    else:
        manifest = KEDA_PUBLIC
    kubectl("apply", "--server-side", "--force-conflicts", "-f", manifest)
    for name in ("keda-operator", "keda-metrics-apiserver"):
        kubectl("rollout", "status", f"deployment/{name}", "--namespace", "keda", "--timeout=180s", timeout_s=200)
