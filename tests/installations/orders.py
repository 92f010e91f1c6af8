"""Single orders of a client that counts the seconds."""

import json
import re
import time

import httpx

from swaprail.domain.lifecycle import Status
from swaprail.testing.conditions import until
from tests.system.engine import SERVICES, Engine

MOST_LINES = 20  # an incident and service
_STEP = re.compile(rf'"event": ?"({"|".join(Status)})"')
BODY = {"userWallet": "alice", "inputToken": "SOL", "outputToken": "USDC", "inputAmount": "1.5"}


async def place(client: httpx.AsyncClient) -> httpx.Response:
    """Post one order to be executed at once."""
    return await client.post("/api/orders/execute", json=BODY)


async def accepted_within(client: httpx.AsyncClient, seconds: float) -> tuple[str, set[int]]:
    """Post until an order is accepted; return its id, and the statuses answered before."""
    statuses: set[int] = set()
    ends = time.monotonic() + seconds
    while True:
        answer = await place(client)
        if answer.status_code == 202:
            return str(answer.json()["orderId"]), statuses
        statuses.add(answer.status_code)
        assert time.monotonic() < ends, f"not accepted within {seconds:g} s: {answer.text}"


async def confirmed_within(client: httpx.AsyncClient, order_id: str, seconds: float) -> None:
    """Return when the order is CONFIRMED."""

    async def confirmed() -> bool:
        answer = await client.get(f"/api/orders/{order_id}")
        return bool(answer.status_code == 200 and answer.json()["status"] == "CONFIRMED")

    await until(confirmed, within_s=seconds, what=f"{order_id} is CONFIRMED", every_s=0.05)


def lines_since(engine: Engine, before: dict[str, int]) -> dict[str, list[str]]:
    """Return what each service has written, without the lines of single orders' steps."""
    return {
        name: [line for line in engine.log(name).read_text()[before[name] :].splitlines() if not _STEP.search(line)]
        for name in SERVICES
    }


def written(engine: Engine) -> dict[str, int]:
    """Return how much each service has written so far."""
    return {name: len(engine.log(name).read_text()) for name in SERVICES}


def assert_few(told: dict[str, list[str]]) -> None:
    """Raise AssertionError when an incident filled a log, or when a line is none of JSON."""
    for name, lines in told.items():
        for line in lines:
            assert line.startswith("{"), f"{name} wrote a line that is not JSON: {line} of {lines[:10]}"
            assert isinstance(json.loads(line), dict)
        assert len(lines) <= MOST_LINES, f"{name} wrote {len(lines)} lines: {lines[:5]} ... {lines[-5:]}"
