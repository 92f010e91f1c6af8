"""How the suite reaches what is inside: Kubernetes' API, the database, an API key of the engine."""

import base64
from typing import Any
from urllib.parse import quote

from kubernetes import client, config

from tests.e2e.cluster.names import CONTEXT, NAMESPACE, POSTGRES_PORT, RELEASE
from tests.e2e.cluster.shell import kubectl


class Hidden(str):
    """A text that a failing test does not print."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Hidden(…)"


class Kubernetes:
    """The parts of Kubernetes' API that the suite asks, and its commonest questions."""

    def __init__(self) -> None:
        load: Any = config.new_client_from_config
        api = load(context=CONTEXT)
        self.core: Any = client.CoreV1Api(api)
        self.apps: Any = client.AppsV1Api(api)
        self.autoscaling: Any = client.AutoscalingV2Api(api)
        self.networking: Any = client.NetworkingV1Api(api)

    def pods(self, component: str, namespace: str = NAMESPACE) -> list[Any]:
        """Return the component's pods that are not on their way out."""
        found = self.core.list_namespaced_pod(
            namespace, label_selector=f"app.kubernetes.io/component={component}", _request_timeout=20
        ).items
        return [pod for pod in found if pod.metadata.deletion_timestamp is None]

    def ready_pods(self, component: str) -> list[Any]:
        """Return those of them that are ready."""
        return [
            pod
            for pod in self.pods(component)
            if any(c.type == "Ready" and c.status == "True" for c in pod.status.conditions or [])
        ]

    def replicas(self, component: str) -> int:
        """Return how many pods the component's deployment wants."""
        scale = self.apps.read_namespaced_deployment(f"{RELEASE}-{component}", NAMESPACE, _request_timeout=20)
        return int(scale.spec.replicas)

    def secret(self, namespace: str, name: str) -> dict[str, str]:
        """Return the values of a Secret."""
        data = self.core.read_namespaced_secret(name, namespace, _request_timeout=20).data
        return {key: base64.b64decode(value).decode() for key, value in data.items()}


def dsn(kubernetes: Kubernetes) -> str:
    """Return the database's address as seen from this machine."""
    password = quote(kubernetes.secret("stores", "stores")["postgres-password"], safe="")
    return Hidden(f"postgresql://swaprail:{password}@127.0.0.1:{POSTGRES_PORT}/swaprail")


def make_api_key(account: str) -> str:
    """Make an API key as an operator does."""
    command = ["swaprail-keys", "create", "--account", account, "--name", "end to end"]
    words = ["exec", "--namespace", NAMESPACE, f"deployment/{RELEASE}-api", "--container", "api", "--", *command]
    return Hidden(kubectl(*words).strip())
