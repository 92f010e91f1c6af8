"""One client of one engine, what it knows, and how it judges in the end; the rules are in machine_*.py."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import hypothesis.strategies as st
import msgspec
from hypothesis.stateful import Bundle, RuleBasedStateMachine

from tests.fuzz.client import Client
from tests.fuzz.model import TERMINAL, Known, Model
from tests.invariants import Receipt, check_invariants
from tests.system.engine import Engine

ENDED_WITHIN_S = 30
wallets = st.sampled_from(["a", "b/c", "ü"])
amounts = st.sampled_from(["1", "2.5", "0.000000001", "1e1", 3])
_runs = count(1)
totals = {"runs": 0, "requests": 0, "orders": 0, "kills": 0}


class Posted(msgspec.Struct, frozen=True):
    """A request that was accepted under a key."""

    path: str
    key: str
    body: dict[str, Any] | None
    answer: bytes
    status: int


class Machine(RuleBasedStateMachine):
    """One client of one engine. The engine outlives the machine; wallets and keys are the run's own."""

    engine: Engine
    key: str

    orders = Bundle("orders")
    posted = Bundle("posted")

    def __init__(self) -> None:
        super().__init__()
        self.run = next(_runs)
        self.client = Client(self.engine, self.key)
        self.model = Model()
        self.kills = 0
        self._keys = count(1)
        totals["runs"] += 1

    def body(self, wallet: str, amount: Any, **more: Any) -> dict[str, Any]:
        whole = {"userWallet": f"{wallet}-{self.run}", "inputToken": "SOL", "outputToken": "USDC"}
        return {**whole, "inputAmount": amount, "slippageBps": 1000, **more}

    def new_key(self) -> str:
        return f"run-{self.run}-{next(self._keys)}"

    def ended(self, known: Known) -> None:
        end = time.monotonic() + ENDED_WITHIN_S
        while known.status not in TERMINAL:
            assert time.monotonic() < end, f"{known} has not ended"
            self.look(known)
            time.sleep(0.02)
        assert known.status == known.end, f"{known} should have ended {known.end}"

    def look(self, known: Known) -> None:
        answer = self.client.get(f"/api/orders/{known.id}")
        assert answer.status_code == 200, answer.text
        known.see(answer.json()["seq"], answer.json()["status"])

    def note(self, path: str, key: str, body: Any, answer: Any) -> None:
        request = path.encode() + msgspec.json.encode(body)
        self.model.receipts.append(Receipt(key, request, answer.status_code, answer.content, "one"))

    def refused(self, answer: Any, status: int, code: str) -> None:
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text

    def teardown(self) -> None:
        """Let everything end, and judge."""
        try:
            for known in self.model.orders.values():
                if not known.waits:
                    self.ended(known)
            totals["orders"] += len(self.model.orders)
            totals["requests"] += self.client.requests
            apart(lambda: check_invariants(self.engine.dsn, list(self.model.orders), receipts=self.model.receipts))
        finally:
            self.client.close()


def apart(work: Callable[[], Any]) -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(work())).result()
