"""What Prometheus of the cluster says."""

from typing import Any

import httpx

from tests.e2e.cluster.names import PROMETHEUS


def ask(path: str, **parameters: str) -> Any:
    answer = httpx.get(f"{PROMETHEUS}/api/v1/{path}", params=parameters, timeout=20)
    assert answer.status_code == 200, f"{parameters}: {answer.text}"
    return answer.json()["data"]


def query(expression: str) -> list[Any]:
    found: list[Any] = ask("query", query=expression)["result"]
    return found
