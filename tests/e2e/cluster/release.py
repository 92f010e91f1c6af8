"""The release under test: installed, changed, and brought back to what the suite starts from."""

import time
from pathlib import Path

import httpx

from tests.e2e.cluster.names import CHART, NAMESPACE, RELEASE, URL
from tests.e2e.cluster.shell import CommandError, helm

VALUES = Path(__file__).parent / "values.yaml"
INGRESS_S = 30
READY_S = 90  # from helm install to all pods ready: a goal of the project, not a guess


def install(*options: str | Path, chart: Path = CHART, timeout_s: int = READY_S) -> str:
    """Install or upgrade to the suite's values and the options, and wait until it is ready."""
    command = ["upgrade", "--install", RELEASE, chart, "--namespace", NAMESPACE, "--values", VALUES, *options]
    told = helm(*command, "--wait", "--wait-for-jobs", f"--timeout={timeout_s}s", timeout_s=timeout_s + 60)
    _wait_for_ingress()
    return told


def _wait_for_ingress() -> None:
    """Return when the ingress controller has taken over the routes, which helm does not wait for."""
    until = time.monotonic() + INGRESS_S
    while httpx.get(f"{URL}/health", timeout=10).status_code != 200:
        if time.monotonic() > until:
            raise CommandError(f"{URL}/health did not answer 200 within {INGRESS_S} s")
        time.sleep(0.2)


def uninstall() -> None:
    """Remove the release; the stores keep their data."""
    helm("uninstall", RELEASE, "--namespace", NAMESPACE, "--ignore-not-found", "--wait")
