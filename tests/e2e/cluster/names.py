"""What the cluster and what stands in it are called, and where this machine reaches it (see manifests/kind.yaml)."""

from pathlib import Path

ROOT = Path(__file__).parents[3]
MANIFESTS = Path(__file__).parent / "manifests"
CHART = ROOT / "deploy" / "helm" / "swaprail"

CLUSTER = "swaprail-e2e"
CONTEXT = f"kind-{CLUSTER}"
NAMESPACE = "swaprail"
RELEASE = "swaprail"
SERVICES = ("api", "router", "executor", "notifier")
CONTROL_NODE = f"{CLUSTER}-control-plane"
WORKER_NODE = f"{CLUSTER}-worker"

URL = "http://localhost:18080"  # the ingress, by the host name that it routes
WS_URL = "ws://localhost:18080"
PROMETHEUS = "http://127.0.0.1:19090"
COLLECTOR = "http://127.0.0.1:14318"
POSTGRES_PORT = 15432
