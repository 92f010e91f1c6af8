"""The verdict over a dump: what counts, what is explained, and what is not believed."""

import json

import pytest

from tests.mutation.mutants import Mutant, read_dump
from tests.mutation.noticed import Noticed, as_line
from tests.mutation.verdict import judge, key_of, read_explanations

SOURCE = """\
_MOVE = '''
select a
'''
class Writer:
    def write(self):
        return 1
"""
KILLED = as_line(Noticed("its own tests", ("test_x",), ""))


def dumped(line: int, outcome: str | None, output: str = "", *, worker: str = "normal") -> str:
    mutation = {"module_path": "a.py", "operator_name": "core/AddNot", "start_pos": [line, 0]}
    diff = "--- mutation diff ---\n--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-    if x\n+    if not x\n same"
    result = {"worker_outcome": worker, "output": output, "test_outcome": outcome, "diff": diff}
    return json.dumps([{"job_id": "1", "mutations": [mutation]}, result])


def mutant(place: str, noticed: Noticed | None) -> Mutant:
    return Mutant("a.py", place, "core/AddNot", "if x", "if not x", noticed)


NOTICED = Noticed("its own tests", ("test_x",), "")
ENTRY = """
[[survivor]]
module = "a.py"
place = "f"
operator = "core/AddNot"
was = "if x"
becomes = "if not x"
why = "x is always true"
"""


def test_mutants_are_told_with_their_place_when_a_dump_is_read() -> None:
    lines = [dumped(2, "survived"), dumped(6, "killed", f"noise\n{KILLED}"), dumped(4, "killed", "timeout")]
    mutants = read_dump(lines, SOURCE).mutants
    assert [(each.place, each.was, each.becomes) for each in mutants] == [
        ("_MOVE", "if x", "if not x"),
        ("Writer.write", "if x", "if not x"),
        ("Writer", "if x", "if not x"),
    ]
    assert [each.noticed and each.noticed.by for each in mutants] == [None, ("test_x",), ("the time limit",)]


def test_what_is_left_out_or_not_yet_tried_is_no_mutant_when_a_dump_is_read() -> None:
    pending = json.dumps([{"mutations": []}, None])
    dump = read_dump([dumped(1, None, "a reason", worker="skipped"), pending], SOURCE)
    assert (dump.mutants, dump.pending, dict(dump.left_out)) == ([], 1, {"a reason": 1})


def test_a_dump_is_refused_when_a_mutant_could_not_be_tried() -> None:
    with pytest.raises(ValueError, match="Traceback"):
        read_dump([dumped(1, "incompetent", "Traceback", worker="exception")], SOURCE)


def test_the_score_counts_survivors_when_they_are_explained() -> None:
    mutants = [mutant("f", None), *[mutant("g", NOTICED)] * 9]
    verdict = judge(mutants, read_explanations(ENTRY), ["a.py"])
    assert verdict.score == 90
    assert verdict.passes


@pytest.mark.parametrize(
    "mutants",
    [
        pytest.param([mutant("f", None), *[mutant("g", NOTICED)] * 8], id="too many survive"),
        pytest.param([mutant("f", None), mutant("h", None), *[mutant("g", NOTICED)] * 98], id="one is not explained"),
        pytest.param([mutant("g", NOTICED)] * 9, id="what is explained does not survive"),
        pytest.param(
            [mutant("f", None), *[mutant("g", NOTICED)] * 98, mutant("h", NOTICED._replace(unclear=True))],
            id="the servers failed",
        ),
    ],
)
def test_the_verdict_fails_when_something_is_left(mutants: list[Mutant]) -> None:
    assert not judge(mutants, read_explanations(ENTRY), ["a.py"]).passes


def test_an_explanation_is_not_missed_when_its_module_was_not_run() -> None:
    assert judge([], {key_of(mutant("f", None)): "why"}, ["b.py"]).passes


def test_a_mutant_is_found_again_when_lines_are_added_above_it() -> None:
    moved = read_dump([dumped(3, "survived")], "\n" + SOURCE).mutants
    assert key_of(moved[0]) == key_of(read_dump([dumped(2, "survived")], SOURCE).mutants[0])
