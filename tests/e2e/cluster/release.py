"""The release under test: installed, changed, and brought back to what the suite starts from."""

from pathlib import Path

from tests.e2e.cluster.names import CHART, NAMESPACE, RELEASE
from tests.e2e.cluster.shell import helm

VALUES = Path(__file__).parent / "values.yaml"
READY_S = 90  # from helm install to all pods ready: a goal of the project, not a guess


def install(*options: str | Path, chart: Path = CHART, timeout_s: int = READY_S) -> str:
    """Install or upgrade to the suite's values and the options, and wait until it is ready."""
    command = ["upgrade", "--install", RELEASE, chart, "--namespace", NAMESPACE, "--values", VALUES, *options]
    return helm(*command, "--wait", f"--timeout={timeout_s}s", timeout_s=timeout_s + 60)


def uninstall() -> None:
    """Remove the release; the stores keep their data."""
    helm("uninstall", RELEASE, "--namespace", NAMESPACE, "--ignore-not-found", "--wait")
