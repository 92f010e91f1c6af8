"""A client without a loop, for Hypothesis: HTTP and WebSocket of one engine."""

import json
import time
from typing import Any
from urllib.parse import quote

import httpx
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.fuzz.model import TERMINAL
from tests.system.engine import Engine

ROUTER_WITHIN_S = 15


class Client:
    """Asks as one account."""

    def __init__(self, engine: Engine, key: str) -> None:
        self._engine = engine
        self._headers = {"authorization": f"Bearer {key}"}
        # A connection each: a killed API leaves dead ones, and what fails on those says nothing of the engine.
        limits = httpx.Limits(max_keepalive_connections=0)
        self._http = httpx.Client(base_url=engine.url, headers=self._headers, timeout=10, limits=limits)
        self.requests = 0

    def post(self, path: str, body: Any, key: str) -> httpx.Response:
        self.requests += 1
        return self._http.post(path, json=body, headers={"idempotency-key": key} if key else {})

    def get(self, path: str) -> httpx.Response:
        self.requests += 1
        return self._http.get(path)

    def quotes(self, query: str) -> httpx.Response:
        """Ask for quotes; a router that was just killed has its time to come back."""
        end = time.monotonic() + ROUTER_WITHIN_S
        while True:
            answer = self.get(f"/api/quotes?{query}")
            if answer.status_code != 503 or time.monotonic() > end:
                return answer

    def pages(self, wallet: str, limit: int, status: str = "") -> list[dict[str, Any]]:
        """Return the orders of a wallet over all pages."""
        listed: list[dict[str, Any]] = []
        query = f"limit={limit}" + (f"&status={status}" if status else "")
        cursor = ""
        while True:
            answer = self.get(f"/api/orders/user/{quote(wallet)}?{query}{cursor}")
            assert answer.status_code == 200, answer.text
            page = answer.json()
            assert len(page["orders"]) <= limit
            listed += page["orders"]
            if page["nextCursor"] is None:
                return listed
            cursor = f"&cursor={page['nextCursor']}"

    def follow(self, order_id: str, after: int, *, ends: bool, within_s: float) -> list[dict[str, Any]]:
        """Return what a WebSocket tells: until the order ends, or, if it waits, what is known at once."""
        url = f"{self._engine.ws_url}/ws/orders/{order_id}?after={after}"
        told: list[dict[str, Any]] = []
        with connect(url, additional_headers=self._headers, compression=None, proxy=None) as socket:
            end = time.monotonic() + (within_s if ends else 0.1)
            while not (told and told[-1]["status"] in TERMINAL):
                try:
                    told.append(json.loads(socket.recv(timeout=max(0.05, end - time.monotonic()))))
                except TimeoutError:
                    assert not ends or self._is_over(order_id, after), f"{order_id} told {told} and no end"
                    return told
                except ConnectionClosed as error:
                    message = f"{order_id} was cut off after {told}: {error}"
                    raise AssertionError(message) from error
        return told

    def ready(self, name: str) -> None:
        end = time.monotonic() + 60
        while not self._engine.is_ready(name):
            assert time.monotonic() < end, f"{name} is not ready"
            time.sleep(0.02)

    def close(self) -> None:
        self._http.close()

    def _is_over(self, order_id: str, after: int) -> bool:
        """Tell whether the order had ended by the step that was asked after: then nothing is told."""
        view = self.get(f"/api/orders/{order_id}").json()
        return view["status"] in TERMINAL and view["seq"] <= after
