"""What somebody who reads a failed run needs: pods, events, logs, the last one's too when a container restarted."""

import json
import sys

from tests.e2e.cluster.names import NAMESPACE
from tests.e2e.cluster.shell import CommandError, kubectl

_TAIL = "--tail=150"
_LISTS = (
    "pods -o wide -A",
    f"hpa,scaledobject,job,pdb,ingress -n {NAMESPACE}",
    f"events -n {NAMESPACE} --sort-by=.lastTimestamp",
)


def _show(*words: str) -> None:
    sys.stderr.write(f"\n--- kubectl {' '.join(words)}\n")
    try:
        sys.stderr.write(kubectl(*words, timeout_s=30))
    except CommandError as error:
        sys.stderr.write(f"{error}\n")


def dump() -> None:
    """Write it all to standard error."""
    for words in _LISTS:
        _show("get", *words.split())
    pods = json.loads(kubectl("get", "pods", "-n", NAMESPACE, "-o", "json"))["items"]
    for pod in pods:
        name = pod["metadata"]["name"]
        _show("logs", name, "-n", NAMESPACE, "--all-containers", _TAIL)
        if any(status["restartCount"] for status in pod["status"].get("containerStatuses", [])):
            _show("logs", name, "-n", NAMESPACE, "--previous", _TAIL)
