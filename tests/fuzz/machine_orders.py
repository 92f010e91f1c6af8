"""Rules that place and change orders."""

from typing import Any

import hypothesis.strategies as st
import msgspec
from hypothesis.stateful import multiple, rule

from tests.fuzz.machine import Machine, Posted, amounts, wallets
from tests.fuzz.model import TERMINAL
from tests.invariants import Receipt

orders, posted = Machine.orders, Machine.posted


class Ordering(Machine):
    """Places, repeats, starts and cancels."""

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
