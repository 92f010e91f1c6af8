#!/usr/bin/env python3
"""helm test: an order on the paper venues is brought to CONFIRMED through the API, each step told by the notifier.

Runs in the API's image with the API's settings; it needs the standard library and swaprail-keys.
"""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from order_steps import steps_of

API = os.environ["API_ADDRESS"]
NOTIFIER = os.environ["NOTIFIER_ADDRESS"]
TRIES = int(os.environ["ORDER_TRIES"])
DEADLINE = time.monotonic() + float(os.environ["TIMEOUT_S"])
ACCOUNT = "helm-test"
CALL_S = 10.0
ORDER = {"userWallet": ACCOUNT, "inputToken": "SOL", "outputToken": "USDC", "inputAmount": "1.5"}
STATUSES = ("PENDING", "ROUTING", "BUILDING", "SUBMITTED", "CONFIRMED")


class NotProvenError(Exception):
    """The release was not seen to do what it must."""


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def time_left() -> float:
    left = DEADLINE - time.monotonic()
    if left <= 0:
        raise NotProvenError("out of time: see the logs of router and executor")
    return left


def keys(verb: str, *arguments: str, timeout: float) -> str:
    command = ["swaprail-keys", verb, "--account", ACCOUNT, *arguments]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)  # noqa: S603 - no shell, no input
    if answer.returncode != 0:
        raise NotProvenError(f"swaprail-keys {verb}: {answer.stderr.strip()}")
    return answer.stdout.strip()


@contextmanager
def api_key() -> Iterator[str]:
    """Make a key for the time of the test."""
    key = keys("create", "--name", "helm test", "--scopes", "orders:read", "orders:write", timeout=time_left())
    try:
        yield key
    finally:
        keys("revoke", "--id", key.split("_")[1], timeout=CALL_S)


def call(method: str, path: str, key: str, body: dict[str, str] | None = None) -> Any:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    headers |= {"Idempotency-Key": os.urandom(16).hex()} if body else {}
    connection = http.client.HTTPConnection(API, timeout=min(CALL_S, time_left()))
    try:
        connection.request(method, path, json.dumps(body) if body else None, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
    finally:
        connection.close()
    if answer.status not in {200, 202}:
        raise NotProvenError(f"{method} {path}: {answer.status} {text}")
    return json.loads(text)


def place_order(key: str) -> Any:
    """Return the order as it ended, after its steps were told from the first to the last."""
    order_id = call("POST", "/api/orders/execute", key, ORDER)["orderId"]
    say(f"order {order_id}")
    told = []
    for step in steps_of(NOTIFIER, order_id, key, time_left):
        say(f"  {step['seq']}  {step['status']}")
        told.append(step["seq"])
    order = call("GET", f"/api/orders/{order_id}", key)
    if told != list(range(1, order["seq"] + 1)):
        raise NotProvenError(f"the WebSocket told the steps {told} of {order['seq']}")
    return order


def was_confirmed(order: dict[str, Any]) -> bool:
    """Tell whether the order was executed; anything else than a reverted swap is a failure of the test."""
    if order["status"] == "CONFIRMED":
        missing = [status for status in STATUSES if status not in order["timestamps"]]
        if missing or not order["signature"]:
            raise NotProvenError(f"CONFIRMED without {', '.join(missing) or 'a signature'}")
        return True
    if [attempt["state"] for attempt in order["attempts"]] != ["REVERTED"]:
        raise NotProvenError(f"the order is {order['status']}: {json.dumps(order.get('failure'))}")
    return False


def main() -> None:
    # A pod that is told to end still revokes its key.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to end before an order was CONFIRMED"))
    with api_key() as key:
        for _ in range(TRIES):
            if was_confirmed(place_order(key)):
                return
            # The paper chain reverts a share of the swaps on purpose.
            say("  reverted by the paper chain; placing another one")
    raise NotProvenError(f"{TRIES} orders in a row were reverted: is MOCK_DEX_FAILURE_RATE high?")


if __name__ == "__main__":
    try:
        main()
    except (NotProvenError, OSError, http.client.HTTPException, subprocess.TimeoutExpired) as error:
        sys.exit(f"not confirmed: {error}")
