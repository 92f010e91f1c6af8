"""The flows of `make test-order`, `test-concurrent` and `test-ws`, through the ingress."""

import os
import subprocess
import sys

import pytest

from tests.e2e.cluster.names import NAMESPACE, RELEASE, ROOT, URL
from tests.e2e.cluster.shell import helm


@pytest.mark.parametrize("flow", ["order", "concurrent_execute", "ws"])
def test_its_guarantees_hold_when_a_flow_goes_through_the_ingress(flow: str, api_key: str) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tests" / "flows" / f"{flow}.py"],
        env=os.environ | {"URL": URL, "SWAPRAIL_API_KEY": api_key},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FAIL" not in done.stdout
    assert "ok" in done.stdout


def test_a_paper_order_is_confirmed_when_helm_tests_the_release() -> None:
    told = helm("test", RELEASE, "--namespace", NAMESPACE, "--logs", "--timeout=150s")
    assert "Succeeded" in told
    assert "CONFIRMED" in told
