"""The images of the cluster: ours, built from the checkout, and those of what stands around."""

from collections.abc import Iterable

import yaml

from tests.e2e.cluster.names import CHART, CLUSTER, CONTROL_NODE, ROOT, SERVICES, WORKER_NODE
from tests.e2e.cluster.shell import run

STORES = ("postgres:17", "redis:8")  # pods of docs/operations run them on any node
# Their pods are bound to the control plane, see manifests.
AROUND = (
    "prom/prometheus:v2.53.3",
    "traefik:v3.6.12",
    "registry.k8s.io/metrics-server/metrics-server:v0.9.0",
)
TAG = yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"]  # what the chart takes by default
NEXT_TAG = "e2e-next"  # the same programs under another tag: what an upgrade rolls to
PREVIOUS_TAG = "e2e-previous"  # those of the release before: what an upgrade starts from
PREVIOUS = ROOT / "tests" / "e2e" / "previous" / "image"


def image(service: str, tag: str = TAG) -> str:
    """Return the name of a service's image."""
    return f"swaprail/{service}:{tag}"


def build() -> None:
    """Build the four images, tag them twice, and build those of the release before."""
    run([ROOT / "scripts" / "images", TAG], timeout_s=900)
    for service in SERVICES:
        run(["docker", "tag", image(service), image(service, NEXT_TAG)])
        before = ["--tag", image(service, PREVIOUS_TAG), "--build-arg", f"IMAGE={image(service)}"]
        run(["docker", "build", "--quiet", *before, PREVIOUS], timeout_s=300)


def load(*names: str, nodes: Iterable[str] = (CONTROL_NODE, WORKER_NODE)) -> None:
    """Hand images to the nodes; in one archive, so that shared layers travel once."""
    run(["kind", "load", "docker-image", "--name", CLUSTER, "--nodes", ",".join(nodes), *names], timeout_s=600)


def load_all() -> None:
    """Hand every image of the suite to the nodes, pulling from the public registry what is not here."""
    for name in (*STORES, *AROUND):
        if not run(["docker", "images", "--quiet", name]).strip():
            run(["docker", "pull", name], timeout_s=600)
    ours = [image(service, tag) for service in SERVICES for tag in (TAG, NEXT_TAG, PREVIOUS_TAG)]
    load(*AROUND, nodes=[CONTROL_NODE])
    load(*STORES, *ours)
