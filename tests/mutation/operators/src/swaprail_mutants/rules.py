"""Which mutants are not worth a run, each by a rule with its reason; everything else counts."""

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

type Position = tuple[int, int]
type Silent = tuple[ast.stmt | ast.expr, re.Pattern[str], str]

KIND = "of a kind left out: it repeats one of those taken, or cannot even be run"
TOLD = "only what is logged or measured changes"
ASSERT = "an assertion holds whatever happens: without it nothing else happens"
PACE = "a bound or a time, moved by one unit: nothing promises its exact value"
RECORD = "whether a record may be changed, or counts for the collector: nothing at run time depends on it"
STAR = "not a product: the star before a function's named arguments"
WALRUS = "no Python: a negated assignment"
TWICE = "the negation of the whole condition, which AddNot makes as well"

_NEGATIONS = ("Eq_NotEq", "NotEq_Eq", "Lt_GtE", "GtE_Lt", "Gt_LtE", "LtE_Gt", "Is_IsNot", "IsNot_Is")
_BOUNDS = ("Lt_LtE", "LtE_Lt", "Gt_GtE", "GtE_Gt")
_TAKEN = re.compile(
    rf"""sql/.*|core/(
    ReplaceComparisonOperator_({"|".join(_NEGATIONS + _BOUNDS)})
    |ReplaceBinaryOperator_(Add_Sub|Sub_Add|Mul_Div|Div_Mul|RShift_LShift|LShift_RShift)
    |ReplaceUnaryOperator_(Delete_Not|USub_UAdd)
    |AddNot|ReplaceTrueWithFalse|ReplaceFalseWithTrue|ReplaceAndWithOr|ReplaceOrWithAnd
    |ReplaceBreakWithContinue|ReplaceContinueWithBreak|ExceptionReplacer|NumberReplacer|ZeroIterationForLoop)""",
    re.VERBOSE,
)
_NEGATES = re.compile(
    rf"core/(ReplaceComparisonOperator_({'|'.join(_NEGATIONS)})|ReplaceUnaryOperator_Delete_Not|ReplaceTrueWithFalse)"
)
_STAR = re.compile(r"core/ReplaceBinaryOperator_Mul_Div")
_ADD_NOT = re.compile(r"core/AddNot")
_ANY = re.compile(r".*")
_NUMBER = re.compile(r"core/NumberReplacer")
_EXACT_UP_TO = 10  # so small a number is a rule, not a bound


class _Span(NamedTuple):
    """A part of a source, the operators that say nothing there, and why."""

    start: Position
    end: Position
    operators: re.Pattern[str]
    reason: str


class Rules:
    """The rules, applied to one source."""

    def __init__(self, source: str) -> None:
        self._lines = source.splitlines()
        module = ast.parse(source)
        self._spans = [
            _Span(self._start(node), self._end(node), operators, reason) for node, operators, reason in _silent(module)
        ]
        self._spans += [
            _Span(self._start(node), self._start(node.body[0]), _STAR, STAR)
            for node in ast.walk(module)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        ]

    def why_not(self, operator: str, start: Position) -> str | None:
        """Return why the mutant is left out, or None if it counts."""
        if not _TAKEN.fullmatch(operator):
            return KIND
        for span in self._spans:
            if span.start <= start < span.end and span.operators.fullmatch(operator):
                return span.reason
        return None

    def _start(self, node: ast.stmt | ast.expr) -> Position:
        return self._position(node.lineno, node.col_offset)

    def _end(self, node: ast.stmt | ast.expr) -> Position:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._position(node.end_lineno, node.end_col_offset)

    def _position(self, line: int, offset: int) -> Position:
        # ast counts bytes, cosmic-ray characters.
        return line, len(self._lines[line - 1].encode()[:offset].decode())


def _silent(module: ast.Module) -> Iterator[Silent]:
    for node in ast.walk(module):
        yield from _silent_in(node)
    for statement in module.body:
        if isinstance(statement, ast.Assign) and _is_bound(statement.value):
            yield statement.value, _NUMBER, PACE


def _silent_in(node: ast.AST) -> Iterator[Silent]:
    if isinstance(node, ast.Assert):
        yield node, _ANY, ASSERT
    elif isinstance(node, ast.Expr) and _tells(node.value):
        yield node, _ANY, TOLD
    elif isinstance(node, ast.If | ast.While) and isinstance(node.test, ast.NamedExpr):
        yield node.test, _ADD_NOT, WALRUS
    elif isinstance(node, ast.If | ast.While | ast.IfExp) and _simple(node.test):
        yield node.test, _NEGATES, TWICE
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "zip":
        yield from ((keyword.value, _ANY, ASSERT) for keyword in node.keywords)
    elif isinstance(node, ast.ClassDef):
        yield from ((keyword.value, _ANY, RECORD) for keyword in node.keywords)


def _simple(test: ast.expr) -> bool:
    """Tell whether the condition has one part, so that to negate it is to negate the whole."""
    one = isinstance(test, ast.Compare) and len(test.ops) == 1 and all(map(_plain, (test.left, *test.comparators)))
    negated = isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)
    return one or negated or isinstance(test, ast.Constant)


def _plain(node: ast.expr) -> bool:
    return not any(isinstance(part, ast.Compare | ast.BoolOp | ast.IfExp) for part in ast.walk(node))


def _tells(call: ast.expr) -> bool:
    """Tell whether an expression is `log.…(…)`, `metrics.….inc(…)` or `COUNTER.labels(…).inc()`."""
    node = call
    while isinstance(node, ast.Call | ast.Attribute):
        node = node.func if isinstance(node, ast.Call) else node.value
    named = isinstance(node, ast.Name) and (node.id in {"log", "metrics"} or node.id.isupper())
    return named and isinstance(call, ast.Call)


def _is_bound(value: ast.expr) -> bool:
    number = value.value if isinstance(value, ast.Constant) else None
    return isinstance(number, float) or (isinstance(number, int) and number > _EXACT_UP_TO)
