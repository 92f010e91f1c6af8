"""What somebody who reads a failed run needs: pods, events, logs, the last one's too when a container restarted."""

import json
import subprocess
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
    sys.stderr.write(_ask(*words))


def _ask(*words: str, otherwise: str | None = None) -> str:
    """Return the answer; of a cluster that gives none the error, or what is to stand for it."""
    try:
        return kubectl(*words, timeout_s=30)
    except (CommandError, subprocess.TimeoutExpired) as error:
        return f"{error}\n" if otherwise is None else otherwise


def dump() -> None:
    """Write it all to standard error."""
    for words in _LISTS:
        _show("get", *words.split())
    pods = json.loads(_ask("get", "pods", "-n", NAMESPACE, "-o", "json", otherwise='{"items": []}'))
    for pod in pods["items"]:
        name = pod["metadata"]["name"]
        _show("logs", name, "-n", NAMESPACE, "--all-containers", _TAIL)
        if any(status["restartCount"] for status in pod["status"].get("containerStatuses", [])):
            _show("logs", name, "-n", NAMESPACE, "--previous", _TAIL)
