"""Clients doing anything in any order, services dying meanwhile: every answer is what the model says it must be."""

import hypothesis
import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import precondition, rule, run_state_machine_as_test

from tests.evidence import Figure
from tests.fuzz.machine import Machine, totals
from tests.fuzz.machine_orders import Ordering
from tests.fuzz.machine_reads import Reading
from tests.fuzz.served import LIMIT_S, add_key
from tests.system.engine import MODULES, Engine

pytestmark = [pytest.mark.system, pytest.mark.timeout(LIMIT_S)]
RUNS, LONG_RUNS = 6, 150
STEPS = 30
MOST_KILLS = 2
orders = Machine.orders


class ApiMachine(Ordering, Reading):
    """Orders and reads, while services are killed."""

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


def test_every_answer_is_as_the_model_says(
    engine: Engine, seed: int, long_form: bool, figures: dict[str, Figure]
) -> None:
    class Served(ApiMachine):
        pass

    Served.engine, Served.key = engine, add_key(engine.dsn, "one")
    print(f"FUZZ_SEED={seed}")
    run_state_machine_as_test(
        hypothesis.seed(seed)(Served),
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
