"""What a rule leaves out says nothing, and what no rule names counts."""

import pytest

from swaprail_mutants.rules import ASSERT, KIND, PACE, RECORD, STAR, TOLD, TWICE, WALRUS, Rules

SOURCE = """\
LONGEST = 1_000
ENOUGH = 2
class Row(Struct, frozen=True):
    open: bool = True
def work(left):
    assert left > 0
    log.info("working", left=left + 1)
    metrics.LEFT.labels(left).inc(left + 1)
    LEFT.set(left + 1)
    if left > 1:
        return left + 1
    if left > 1 and not (left == 3):
        return "ä", left < 5
    return LEFT(left + 1)
pairs = zip("a", "b", strict=True)
def area(*, width, height):
    return width * height
def drain(left):
    while taken := left.take(1):
        taken()
"""


def why(operator: str, text: str, line: int) -> str | None:
    return Rules(SOURCE).why_not(f"core/{operator}", (line, SOURCE.splitlines()[line - 1].index(text)))


@pytest.mark.parametrize(
    ("operator", "text", "line", "reason"),
    [
        ("NumberReplacer", "1_000", 1, PACE),
        ("NumberReplacer", "2", 2, None),
        ("ReplaceTrueWithFalse", "True", 3, RECORD),
        ("ReplaceTrueWithFalse", "True", 4, None),
        ("ReplaceComparisonOperator_Gt_GtE", "> 0", 6, ASSERT),
        ("ReplaceBinaryOperator_Add_Sub", "+ 1", 7, TOLD),
        ("ReplaceBinaryOperator_Add_Sub", "+ 1", 8, TOLD),
        ("ReplaceBinaryOperator_Add_Sub", "+ 1", 9, TOLD),
        ("ReplaceComparisonOperator_Gt_LtE", "> 1", 10, TWICE),
        ("ReplaceComparisonOperator_Gt_GtE", "> 1", 10, None),
        ("AddNot", "left > 1", 10, None),
        ("AddNot", "taken", 19, WALRUS),
        ("NumberReplacer", "1", 19, None),
        ("ReplaceBinaryOperator_Add_Mul", "+ 1", 11, KIND),
        ("ReplaceBinaryOperator_Add_Sub", "+ 1", 11, None),
        ("ReplaceComparisonOperator_Gt_LtE", "> 1", 12, None),
        ("ReplaceComparisonOperator_Lt_LtE", "< 5", 13, None),
        ("ReplaceBinaryOperator_Add_Sub", "+ 1", 14, None),
        ("ReplaceTrueWithFalse", "True", 15, ASSERT),
        ("ReplaceBinaryOperator_Mul_Div", "*", 16, STAR),
        ("ReplaceBinaryOperator_Mul_Div", "*", 17, None),
    ],
)
def test_a_mutant_is_left_out_when_a_rule_names_it(operator: str, text: str, line: int, reason: str | None) -> None:
    assert why(operator, text, line) == reason


def test_mutants_of_sql_count_when_they_are_anywhere() -> None:
    assert Rules(SOURCE).why_not("sql/DropCondition", (4, 1)) is None


def test_columns_are_characters_when_the_line_has_others_than_ascii() -> None:
    rules = Rules('x = "äöü"; log.info(1)\n')
    assert rules.why_not("core/NumberReplacer", (1, 20)) == TOLD
    assert rules.why_not("core/NumberReplacer", (1, 10)) is None
