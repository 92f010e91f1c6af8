"""Which rows are kept when one lie is run again."""

from tests.simulation.each_lie import Row, merged
from tests.simulation.lies import Lie

FIRST, SECOND, *_ = map(str, Lie)


def row(lie: str, nodes: int, seeds: int) -> Row:
    return {"lie": lie, "nodes": nodes, "seeds": seeds}


def test_a_row_takes_the_place_of_the_earlier_one_when_a_lie_is_run_again() -> None:
    kept = [row(FIRST, 3, 1), row(SECOND, 2, 1)]
    assert merged(kept, row(FIRST, 3, 9)) == [row(FIRST, 3, 9), row(SECOND, 2, 1)]
    assert merged(kept, row(FIRST, 2, 9)) == [row(FIRST, 2, 9), *kept]
