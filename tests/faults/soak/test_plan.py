from collections import Counter

from tests.faults.soak.plan import LEASE_S, LONG, SHORT, Kind, make_plan


def test_the_same_faults_are_planned_when_the_seed_is_the_same() -> None:
    assert make_plan(7, SHORT) == make_plan(7, SHORT)
    assert make_plan(7, SHORT) != make_plan(8, SHORT)


def test_every_kind_of_fault_is_planned_when_the_form_is_short() -> None:
    for seed in range(200):
        assert set(Kind) == {fault.kind for fault in make_plan(seed, SHORT)}, seed


def test_the_plan_is_what_was_promised_when_the_form_is_long() -> None:
    for seed in range(20):
        plan = make_plan(seed, LONG)
        counted = Counter(fault.kind for fault in plan)
        assert counted[Kind.KILL] >= 300
        assert counted[Kind.FLUSH] == 3
        assert all(fault.lasts > LEASE_S for fault in plan if fault.kind is Kind.PAUSE)
        for kind, least, most in ((Kind.KILL, 1, 3), (Kind.POSTGRES, 20, 60), (Kind.VALKEY, 20, 60)):
            times = [fault.at for fault in plan if fault.kind is kind]
            assert all(least <= b - a <= most for a, b in zip([0.0, *times], times, strict=False)), (seed, kind)
