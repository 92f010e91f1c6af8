"""The table of failpoints is complete: no statement, and no way of an order, is without one."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from swaprail.domain.lifecycle import TRANSITIONS, Status
from tests.faults.failpoints.points import POINTS, Point
from tests.faults.failpoints.trigger import Phase

ROOT = Path(__file__).parents[3]
SOURCES = [*ROOT.glob("libs/*/src/**/*.py"), *ROOT.glob("services/*/src/**/*.py")]
NAMES = {point.name for point in POINTS}
# Statements whose points are finer: by what becomes of an order.
FINER = {"intake", "move", "settle"}
# Run by swaprail-keys alone, beside the engine.
OPERATORS = {"key_limit"}


def _named_statements() -> Iterator[tuple[str, str]]:
    """Return name and text of every named statement in the sources."""
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) == 2:
                if node.func.id not in ("named", "_compile"):
                    continue
                name, text = node.args[0], ast.unparse(node.args[1])
                if isinstance(name, ast.Constant):
                    yield str(name.value), text.replace("\\n", " ")


STATEMENTS = dict(_named_statements())


def _points_of(statement: str) -> list[Point]:
    return [p for p in POINTS if p.name == statement or (statement in FINER and p.name.startswith(f"{statement}."))]


def test_every_named_statement_has_a_failpoint() -> None:
    assert len(STATEMENTS) >= 35
    assert {name for name in STATEMENTS if not _points_of(name)} == OPERATORS


def test_every_statement_that_writes_is_also_committed_without_an_answer() -> None:
    writing = re.compile(r"\b(insert into|update \w+ |delete from|GUARDED_UPDATE)", re.IGNORECASE)
    writing_ones = {name for name, text in STATEMENTS.items() if writing.search(text.replace("for update", ""))}
    writes = sorted(writing_ones - OPERATORS)
    assert {"intake", "start", "cancel", "move", "submit", "settle", "lease_scan", "paper_receive"} <= set(writes)
    silent = [p.title for name in writes for p in _points_of(name) if Phase.LOST not in p.phases]
    assert silent == []


@pytest.mark.parametrize(
    ("current", "following"), [(status, after) for status, follow in TRANSITIONS.items() for after in sorted(follow)]
)
def test_every_transition_of_an_order_has_a_failpoint(current: Status, following: Status) -> None:
    writers = {
        Status.PENDING: {Status.ROUTING: "start", Status.EXPIRED: "expire_waiting"},
        Status.BUILDING: {Status.SUBMITTED: "submit"},
    }
    service = "router" if current is Status.ROUTING else "executor"
    name = writers.get(current, {}).get(following) or ("cancel" if following is Status.CANCELLED else "")
    if name:
        assert name in NAMES
        return
    base = "settle" if current is Status.SUBMITTED else "move"
    assert [p for p in POINTS if p.service == service and p.name.startswith(f"{base}.{following}")]


def test_there_are_enough_names_and_none_twice() -> None:
    titles = [point.title for point in POINTS]
    assert len(titles) == len(set(titles))
    assert len(NAMES) >= 40


def test_production_code_knows_nothing_of_failpoints() -> None:
    assert [str(source) for source in SOURCES if "failpoint" in source.read_text().lower()] == []
