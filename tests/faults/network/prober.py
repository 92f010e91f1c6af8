"""Measures how long the API takes to answer, for every endpoint that touches the database or Redis."""

import asyncio
import contextlib
import itertools
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from uuid import uuid4

import httpx
import msgspec

from tests.faults.network.world import SERVICES, World, client

PATIENCE_S = 8.0  # far beyond the bound, so that the table shows how long it took
EVERY_S = 0.2
TICK_S = 0.02
STOOD_STILL_S = 0.1  # any busy process is late by less, again and again: in sum that would forgive an API that is slow
ORDER = {"userWallet": "prober", "inputToken": "SOL", "outputToken": "USDC", "inputAmount": "0.5"}
UNKNOWN = "01900000-0000-7000-8000-000000000000"


class Probe(msgspec.Struct, frozen=True):
    """One kind of request."""

    name: str
    method: str
    path: str
    body: object = None
    bound_s: float = 2.0


PROBES = (
    Probe("place", "POST", "/api/orders", ORDER),
    Probe("execute", "POST", "/api/orders/execute", ORDER),
    Probe("batch", "POST", "/api/orders/batch", {"orders": [ORDER, ORDER]}),
    Probe("start", "POST", f"/api/orders/{UNKNOWN}/execute"),
    Probe("cancel", "POST", f"/api/orders/{UNKNOWN}/cancel"),
    Probe("read", "GET", "/api/orders/{known}"),
    Probe("events", "GET", "/api/orders/{known}/events"),
    Probe("list", "GET", "/api/orders/user/prober"),
    Probe("keys", "GET", "/api/keys"),
    Probe("ticket", "POST", "/api/ws-tickets"),
    Probe("quotes", "GET", "/api/quotes?inputToken=SOL&outputToken=USDC&inputAmount=1", None, 3.2),
    Probe("ready", "GET", "/health/ready"),
    Probe("metrics", "GET", "/metrics"),
)
EXPECTED = {200, 201, 202, 207, 404, 429, 503}


class Prober:
    """Asks all of them again and again, past the clients' link, until it is stopped."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.accepted: list[str] = []
        self.known = UNKNOWN
        self.slowest: dict[str, float] = defaultdict(float)
        self.statuses: Counter[int] = Counter()
        self.broken: list[str] = []
        self._asked: set[asyncio.Task[None]] = set()
        self._stood_still_s = 0.0  # in all: this process carries the proxies and the crowd as well

    async def run(self, seconds: float) -> None:
        """Ask for so long; then wait for the last answers."""
        watch = asyncio.create_task(self._watch_itself())
        async with contextlib.AsyncExitStack() as stack:
            # One for each kind: a pool looks at all its connections for every request, and a hundred that wait for the
            # same outage would make the prober slower than what it measures.
            clients = [
                await stack.enter_async_context(client(self._world, direct=True, timeout_s=PATIENCE_S))
                for _ in (*PROBES, "live")
            ]
            end = time.monotonic() + seconds
            for n in itertools.count():
                if time.monotonic() > end:
                    break
                self._ask_all(clients, n)
                await asyncio.sleep(EVERY_S)
            await asyncio.gather(*self._asked)
        watch.cancel()

    @property
    def slowest_api_s(self) -> float:
        """The slowest answer to a request that has the common bound."""
        return max((self.slowest[probe.name] for probe in PROBES if probe.bound_s <= 2), default=0)

    def _ask_all(self, clients: Sequence[httpx.AsyncClient], n: int) -> None:
        *asking, living = clients
        work = [self._ask(http, probe) for http, probe in zip(asking, PROBES, strict=True)]
        work += [self._live(living, name) for name in SERVICES] if n % 3 == 0 else []
        for coroutine in work:
            task = asyncio.create_task(coroutine)
            self._asked.add(task)
            task.add_done_callback(self._asked.discard)

    async def _ask(self, http: httpx.AsyncClient, probe: Probe) -> None:
        headers = {"Idempotency-Key": str(uuid4())} if probe.name in ("place", "execute") else {}
        began = self._now()
        try:
            answer = await http.request(
                probe.method, probe.path.format(known=self.known), json=probe.body, headers=headers
            )
        except httpx.HTTPError as error:
            self.broken.append(f"{probe.name}: {type(error).__name__} after {self._now() - began:.2f} s")
            return
        self._judge(probe, answer, self._now() - began)

    def _judge(self, probe: Probe, answer: httpx.Response, took_s: float) -> None:
        self.slowest[probe.name] = max(self.slowest[probe.name], took_s)
        self.statuses[answer.status_code] += 1
        if took_s > probe.bound_s:
            self.broken.append(f"{probe.name}: {answer.status_code} after {took_s:.2f} s")
        if answer.status_code not in EXPECTED:
            self.broken.append(f"{probe.name}: {answer.status_code} {answer.text[:200]}")
        if answer.status_code == 503 and probe.path.startswith("/api") and not _says_when(answer):
            self.broken.append(f"{probe.name}: 503 without retryable and Retry-After: {answer.text[:200]}")
        if answer.status_code == 202 and probe.name == "execute":
            self.known = answer.json()["orderId"]
            self.accepted.append(self.known)

    async def _watch_itself(self) -> None:
        """Count how long this process did nothing at all: what is late for that was not late at the API."""
        while True:
            due = time.monotonic() + TICK_S
            await asyncio.sleep(TICK_S)
            late_s = time.monotonic() - due
            if late_s > STOOD_STILL_S:
                self._stood_still_s += late_s

    def _now(self) -> float:
        return time.monotonic() - self._stood_still_s

    async def _live(self, http: httpx.AsyncClient, name: str) -> None:
        began = self._now()
        try:
            answer = await http.get(f"http://127.0.0.1:{self._world.ops_ports[name]}/health/live")
            status = str(answer.status_code)
        except httpx.HTTPError as error:
            status = type(error).__name__
        took_s = self._now() - began
        self.slowest["live"] = max(self.slowest["live"], took_s)
        if status != "200" or took_s > 1:
            self.broken.append(f"{name} /health/live: {status} after {took_s:.2f} s")


def _says_when(answer: httpx.Response) -> bool:
    told = answer.headers.get("content-type") == "application/problem+json" and "retry-after" in answer.headers
    return told and answer.json().get("retryable") is True
