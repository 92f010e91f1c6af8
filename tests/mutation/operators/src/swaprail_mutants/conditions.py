"""Mutations of conditions: what a statement acts on, and when."""

from collections.abc import Iterator

from swaprail_mutants.changes import Change, text_of
from swaprail_mutants.tokens import Token, assignments, closing, end_of_operand, word_at

_COMPARISONS = {"=": "<>", "<>": "=", "<": "<=", "<=": "<", ">": ">=", ">=": ">"}


def swap_and_or(tokens: list[Token]) -> Iterator[Change]:
    """`and` becomes `or`, `or` becomes `and`."""
    for token in tokens:
        if token.text in {"and", "or"}:
            yield Change(token.start, token.end, "or" if token.text == "and" else "and")


def drop_condition(tokens: list[Token]) -> Iterator[Change]:
    """One condition of several no longer counts."""
    for index, token in enumerate(tokens[:-1]):
        distinct_on = token.text == "on" and word_at(tokens, index - 1) in {"distinct", "insert", "conflict"}
        conflict = token.text == "on" and word_at(tokens, index + 1) == "conflict"
        if token.text in {"where", "on", "and", "or"} and not distinct_on and not conflict:
            operand = tokens[index + 1 : end_of_operand(tokens, index + 1)]
            if [each.text for each in operand] != ["true"]:
                yield _without(operand, "and false" if token.text == "or" else "or true")


def compare_otherwise(tokens: list[Token]) -> Iterator[Change]:
    """`=` becomes `<>`, `<` becomes `<=`, and so on; what `set` assigns is left alone."""
    assigned = assignments(tokens)
    for index, token in enumerate(tokens):
        if token.text in _COMPARISONS and index not in assigned:
            yield Change(token.start, token.end, _COMPARISONS[token.text])


def turn_null_check(tokens: list[Token]) -> Iterator[Change]:
    """`is null` becomes `is not null`, `is distinct from` `is not distinct from`, and back."""
    for index, token in enumerate(tokens):
        following = word_at(tokens, index + 1)
        if token.text == "is" and following in {"null", "distinct"}:
            yield Change(token.start, token.end, "is not")
        elif token.text == "is" and following == "not":
            yield Change(token.start, tokens[index + 1].end, "is")


def drop_not(tokens: list[Token]) -> Iterator[Change]:
    """`not in` becomes `in`, and what is negated is not."""
    for index, token in enumerate(tokens):
        if token.text == "not" and word_at(tokens, index - 1) != "is":
            yield Change(token.start, token.end, "")


def negate_when(tokens: list[Token]) -> Iterator[Change]:
    """`case when x` becomes `case when not (x)`."""
    for index, token in enumerate(tokens[:-1]):
        if token.text == "when":
            condition = tokens[index + 1 : _index_of_then(tokens, index)]
            if "is" not in (each.text for each in condition):  # turn_null_check does that
                yield Change(condition[0].start, condition[-1].end, f"not ({text_of(condition)})")


def drop_from_list(tokens: list[Token]) -> Iterator[Change]:
    """`in ('A', 'B')` becomes `in ('B')`, and `in ('A')`."""
    for index, token in enumerate(tokens[:-3]):
        if token.text == "in" and tokens[index + 2].kind == "string" and tokens[index + 3].text == ",":
            end = closing(tokens, index + 1)
            yield Change(tokens[index + 2].start, tokens[index + 3].end, "")
            yield Change(tokens[end - 2].start, tokens[end - 1].end, "")


def _index_of_then(tokens: list[Token], when: int) -> int:
    depth = tokens[when].depth
    return next(i for i in range(when, len(tokens)) if tokens[i].text == "then" and tokens[i].depth == depth)


def _without(operand: list[Token], neutral: str) -> Change:
    # Not taken out: PostgreSQL refuses a parameter that is not referred to.
    return Change(operand[0].start, operand[-1].end, f"({text_of(operand)} {neutral})")
