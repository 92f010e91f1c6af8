"""Every command of docs/operations, in the order in which a platform team meets the pages, on a release of their own."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from string import Template

import pytest

from tests.docs.pages import OPERATIONS
from tests.e2e.cluster.access import Kubernetes
from tests.e2e.cluster.images import NEXT_TAG
from tests.e2e.cluster.names import MANIFESTS
from tests.e2e.cluster.shell import kubectl, run
from tests.e2e.session import run_page

NAMESPACE = "operations"
STORES = "operations-stores"
HOST = "operations.localhost"  # curl takes every name under localhost for this machine
PAGE_S = 420

# The databases of the install and restore pages, and the users of the install and secrets pages.
_DROP = f"""
select format('drop database %I with (force)', datname) from pg_database where datname ~ '^{NAMESPACE}(_|$)' \\gexec
select format('drop role %I', rolname) from pg_roles where rolname ~ '^({NAMESPACE}|swaprail_[0-9]+)$' \\gexec
"""

PAGES = ["install", "scale", "limits", "upgrade", "secrets", "backup-and-restore", "production-checklist", "uninstall"]


def _certificate(home: Path) -> dict[str, str]:
    cert, key = str(home / "tls.crt"), str(home / "tls.key")
    made = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "1",
    ]
    run([*made, "-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}", "-keyout", key, "-out", cert])
    return {"TLS_CERT": cert, "TLS_KEY": key, "CURL_CA_BUNDLE": cert}


def _kubeconfig(home: Path) -> str:
    """Pages name no context: give them a configuration that knows this cluster alone."""
    path = home / "kubeconfig"
    path.write_text(kubectl("config", "view", "--minify", "--flatten", "--raw"))
    path.chmod(0o600)
    return str(path)


def _start_redis(password: str) -> None:
    text = Template((MANIFESTS / "operations-redis.yaml").read_text()).safe_substitute(REDIS_ADMIN_PASSWORD=password)
    kubectl("apply", "-f", "-", stdin=text)
    kubectl("rollout", "status", "deployment/redis", "-n", STORES, "--timeout=90s")


def _clean() -> None:
    """Take away what an interrupted run left; a whole run leaves nothing but Redis."""
    names = [NAMESPACE, f"{NAMESPACE}-trial", STORES]
    kubectl("delete", "namespace", *names, "--ignore-not-found", "--timeout=120s", timeout_s=150)
    command = ["exec", "-i", "-n", "stores", "postgres-0", "--", "psql", "-U", "swaprail", "-v", "ON_ERROR_STOP=1"]
    kubectl(*command, stdin=_DROP)


@pytest.fixture(scope="module")
def variables(kubernetes: Kubernetes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What a reader sets at the top of a page, for this cluster."""
    _clean()
    home = tmp_path_factory.mktemp("operations")
    redis_password = secrets.token_hex(16)
    _start_redis(redis_password)
    yield {
        **_certificate(home),
        "KUBECONFIG": _kubeconfig(home),
        "NAMESPACE": NAMESPACE,
        "VALUES": str(home / "swaprail-values.yaml"),
        "HOST": HOST,
        "URL": f"https://{HOST}:18080",
        "INGRESS_NAMESPACE": "edge",
        "MONITORING_NAMESPACE": "observability",
        "PROXY_NETWORK": "10.244.0.0/16",
        "DATABASE_HOST": "postgres.stores.svc",
        "DATABASE": NAMESPACE,
        "DATABASE_USER": NAMESPACE,
        "DATABASE_SSLMODE": "prefer",
        "REDIS_HOST": f"redis.{STORES}.svc",
        "REDIS_TLS": "false",
        "CPU_REQUEST": "25m",
        "ADMIN_USER": "swaprail",
        "ADMIN_PASSWORD": kubernetes.secret("stores", "stores")["postgres-password"],
        "REDIS_ADMIN_PASSWORD": redis_password,
        "PROMETHEUS_URL": "http://prometheus.observability.svc:9090",
        "PROMETHEUS": "observability/services/prometheus:9090",
        "SCALING": str(home / "swaprail-scaling.yaml"),
        "CLOSED": str(home / "swaprail-closed.yaml"),
        "NEW_VERSION": NEXT_TAG,
    }
    _clean()


@pytest.mark.timeout(PAGE_S + 60)
@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_the_page_works_when_it_is_run_as_written(page: str, variables: dict[str, str]) -> None:
    run_page(OPERATIONS / f"{page}.md", variables, timeout_s=PAGE_S)
