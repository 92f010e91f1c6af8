"""Rules that read what is known of orders."""

import hypothesis.strategies as st
from hypothesis.stateful import rule

from tests.fuzz.machine import ENDED_WITHIN_S, Machine, wallets
from tests.fuzz.model import TERMINAL

orders = Machine.orders


class Reading(Machine):
    """Reads, lists, asks for quotes and follows."""

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
