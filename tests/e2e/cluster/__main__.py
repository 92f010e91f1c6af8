"""python -m tests.e2e.cluster up|down|dump: what make e2e-up, e2e-down and a failing make e2e run."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.e2e.cluster import addons, images, release
from tests.e2e.cluster.dump import dump
from tests.e2e.cluster.names import CLUSTER, MANIFESTS
from tests.e2e.cluster.node import node_image
from tests.e2e.cluster.shell import run


def _step(what: str, work: Callable[[], object]) -> None:
    began = time.monotonic()
    sys.stderr.write(f"e2e: {what}\n")
    work()
    sys.stderr.write(f"e2e: {what}: {time.monotonic() - began:.0f} s\n")


def _create() -> None:
    if CLUSTER in run(["kind", "get", "clusters"]).split():
        return
    config = MANIFESTS / "kind.yaml"
    command: list[str | Path] = [
        "kind",
        "create",
        "cluster",
        "--name",
        CLUSTER,
        "--config",
        config,
        "--wait",
        "180s",
        *node_image(),
    ]
    run(command, timeout_s=600)


def up() -> None:
    """Bring everything up; what is there already is kept."""
    _step("images", images.build)
    _step("cluster", _create)
    _step("images to the nodes", images.load_all)
    _step("stores, ingress controller, metrics, Prometheus, collector", addons.install_around)
    _step("KEDA", addons.install_keda)
    _step("all of that ready", addons.wait_around)
    _step("release", release.install)


def down() -> None:
    """Delete the cluster."""
    run(["kind", "delete", "cluster", "--name", CLUSTER], timeout_s=300)


def main() -> None:
    """Do what the command line says."""
    verbs: dict[str, Callable[[], None]] = {"up": up, "down": down, "dump": dump}
    verb = verbs.get(sys.argv[1] if len(sys.argv) == 2 else "")
    if verb is None:
        raise SystemExit(__doc__)
    verb()


if __name__ == "__main__":
    main()
