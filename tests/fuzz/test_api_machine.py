"""Clients doing anything in any order, services dying meanwhile: every answer is what the model says it must be."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import hypothesis
import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.evidence import Figure
from tests.fuzz.client import Client
from tests.fuzz.model import TERMINAL, Known, Model
from tests.fuzz.served import LIMIT_S, add_key
from tests.invariants import Receipt, check_invariants
from tests.system.engine import MODULES, Engine

pytestmark = [pytest.mark.system, pytest.mark.timeout(LIMIT_S)]
RUNS, LONG_RUNS = 6, 150
STEPS = 30
MOST_KILLS = 2
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


class ApiMachine(RuleBasedStateMachine):
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

    # Placing.

    @rule(target=posted, wallet=wallets, amount=amounts, execute=st.booleans())
    def submit(self, wallet: str, amount: Any, execute: bool) -> Posted:
        path = "/api/orders/execute" if execute else "/api/orders"
        body, key = self.body(wallet, amount), self.new_key()
        answer = self.client.post(path, body, key)
        assert answer.status_code == (202 if execute else 201), answer.text
        assert "idempotency-replayed" not in answer.headers
        self.model.accept(answer.json(), body["userWallet"], queued=execute)
        self.note(path, key, body, answer)
        return Posted(path, key, body, answer.content, answer.status_code)

    @rule(target=orders, sent=posted)
    def name(self, sent: Posted) -> str:
        return str(msgspec.json.decode(sent.answer)["orderId"])

    @rule(sent=posted)
    def repeat(self, sent: Posted) -> None:
        answer = self.client.post(sent.path, sent.body, sent.key)
        assert (answer.status_code, answer.content) == (sent.status, sent.answer)
        assert answer.headers["idempotency-replayed"] == "true"
        self.note(sent.path, sent.key, sent.body, answer)

    @rule(sent=posted, other=st.sampled_from(["amount", "wallet", "path", "start"]))
    def reuse_the_key(self, sent: Posted, other: str) -> None:
        body: dict[str, Any] | None = sent.body or self.body("a", "1")
        assert body is not None
        path = sent.path if sent.body else "/api/orders"
        if other == "amount":
            body = {**body, "inputAmount": "77"}
        elif other == "wallet":
            body = {**body, "userWallet": "somebody else"}
        elif other == "path":
            path = "/api/orders" if path != "/api/orders" else "/api/orders/execute"
        else:
            path, body = f"/api/orders/{msgspec.json.decode(sent.answer)['orderId']}/execute", None
            if sent.body is None:
                return
        self.refused(self.client.post(path, body, sent.key), 422, "idempotency_key_reused")

    @rule(wallet=wallets, amount=st.sampled_from(["0", "-1", "1.0000000001", "x", "1e30", None, True]))
    def submit_nonsense(self, wallet: str, amount: Any) -> None:
        answer = self.client.post("/api/orders/execute", self.body(wallet, amount), self.new_key())
        assert answer.status_code == 400, answer.text

    @rule(wallet=wallets, good=st.lists(st.booleans(), min_size=1, max_size=5), execute=st.booleans())
    def batch(self, wallet: str, good: list[bool], execute: bool) -> None:
        body = {"orders": [self.body(wallet, "1" if fine else "-1") for fine in good], "execute": execute}
        key = self.new_key()
        answers = [self.client.post("/api/orders/batch", body, key) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [207, 207]
        assert answers[0].content == answers[1].content
        results = answers[0].json()["results"]
        assert [result["status"] for result in results] == [(202 if execute else 201) if fine else 400 for fine in good]
        for result in results:
            if "order" in result:
                self.model.accept(result["order"], f"{wallet}-{self.run}", queued=execute)

    # Changing.

    @rule(target=posted, order_id=orders)
    def start(self, order_id: str) -> Posted | Any:
        known, key = self.model.orders[order_id], self.new_key()
        path = f"/api/orders/{order_id}/execute"
        answer = self.client.post(path, None, key)
        if not known.waits:
            self.refused(answer, 409, "order_status_mismatch")
            return multiple()
        assert answer.status_code == 202, answer.text
        known.queued = True
        self.model.receipts.append(Receipt(key, path.encode(), 202, answer.content, "one"))
        return Posted(path, key, None, answer.content, 202)

    @rule(order_id=orders)
    def cancel(self, order_id: str) -> None:
        known = self.model.orders[order_id]
        answer = self.client.post(f"/api/orders/{order_id}/cancel", None, "")
        if answer.status_code == 202:
            assert not known.cancelled
            assert known.status not in TERMINAL
            known.cancelled = True
            known.see(answer.json()["seq"], answer.json()["status"])
            return
        assert not known.waits, answer.text
        assert answer.status_code == 409, answer.text
        assert answer.json()["code"] in ("order_not_cancellable", "order_status_mismatch")

    # Reading.

    @rule(order_id=orders)
    def read(self, order_id: str) -> None:
        self.look(self.model.orders[order_id])

    @rule(order_id=orders, after=st.integers(0, 6))
    def read_events(self, order_id: str, after: int) -> None:
        events = self.client.get(f"/api/orders/{order_id}/events?after={after}").json()["events"]
        assert [event["seq"] for event in events] == list(range(after + 1, after + 1 + len(events)))
        if events:
            self.model.orders[order_id].see(events[-1]["seq"], events[-1]["status"])

    @rule(wallet=wallets, limit=st.integers(1, 4))
    def list_all(self, wallet: str, limit: int) -> None:
        name = f"{wallet}-{self.run}"
        listed = self.client.pages(name, limit)
        assert [view["orderId"] for view in listed] == self.model.of_wallet(name)
        for view in listed:
            self.model.orders[view["orderId"]].see(view["seq"], view["status"])

    @rule(wallet=wallets, status=st.sampled_from(["PENDING", "CONFIRMED", "CANCELLED"]))
    def list_by_status(self, wallet: str, status: str) -> None:
        name = f"{wallet}-{self.run}"
        listed = self.client.pages(name, 2, status)
        assert {view["status"] for view in listed} <= {status}
        ids = [view["orderId"] for view in listed]
        assert ids == sorted(set(ids), reverse=True)
        own = [known for known in self.model.orders.values() if known.wallet == name]
        sure = {k.id for k in own if (k.waits and status == "PENDING") or (k.status == status and status in TERMINAL)}
        assert sure <= set(ids) <= {known.id for known in own}

    @rule(equal=st.booleans())
    def quote(self, equal: bool) -> None:
        query = f"inputToken=SOL&outputToken={'SOL' if equal else 'USDC'}&inputAmount=1"
        answer = self.client.quotes(query)
        if equal:
            self.refused(answer, 400, "tokens_equal")
            return
        assert answer.status_code == 200, answer.text
        amounts = [int(q["outputAmountBase"]) for q in answer.json()["quotes"] if "discarded" not in q]
        assert amounts == sorted(amounts, reverse=True)

    @rule(order_id=orders, after=st.integers(0, 3))
    def follow(self, order_id: str, after: int) -> None:
        known = self.model.orders[order_id]
        ends = known.queued or known.cancelled
        told = self.client.follow(order_id, after, ends=ends, within_s=ENDED_WITHIN_S)
        assert [message["seq"] for message in told] == list(range(after + 1, after + 1 + len(told)))
        for message in told:
            if message["seq"] >= known.seq:
                known.see(message["seq"], message["status"])

    # Faults and time.

    @precondition(lambda self: self.kills < MOST_KILLS)
    @rule(name=st.sampled_from(sorted(MODULES)))
    def kill(self, name: str) -> None:
        self.kills += 1
        totals["kills"] += 1
        self.engine.kill(name)
        self.engine.spawn(name)
        self.client.ready(name)

    @rule(order_id=orders)
    def wait_for_the_end(self, order_id: str) -> None:
        known = self.model.orders[order_id]
        if not known.waits:
            self.ended(known)

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


def test_every_answer_is_as_the_model_says(
    engine: Engine, seed: int, long_form: bool, figures: dict[str, Figure]
) -> None:
    class Machine(ApiMachine):
        pass

    Machine.engine, Machine.key = engine, add_key(engine.dsn, "one")
    print(f"FUZZ_SEED={seed}")
    run_state_machine_as_test(
        hypothesis.seed(seed)(Machine),
        settings=settings(
            max_examples=LONG_RUNS if long_form else RUNS,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            # Runs with killed services take seconds: a failure is told as it was met, and repeated by its seed.
            phases=[Phase.generate],
            print_blob=True,
        ),
    )
    figures |= {f"state machine: {name}": number for name, number in totals.items()}
    assert totals["orders"] > totals["runs"]
    assert "request failed" not in (engine.home / "api.log").read_text()
