"""Mutations of values: what a statement writes and tells."""

from collections.abc import Iterator

from swaprail_mutants.changes import Change, text_of
from swaprail_mutants.tokens import Token, assignments, closing, word_at

_WORDS = {"least": "greatest", "greatest": "least", "min": "max", "max": "min", "true": "false", "false": "true"}


def change_number(tokens: list[Token]) -> Iterator[Change]:
    """What is added is 0; any other number is one more."""
    for index, token in enumerate(tokens):
        if token.kind == "number":
            added = word_at(tokens, index - 1) in {"+", "-"}
            yield Change(token.start, token.end, "0" if added else str(int(token.text) + 1))


def turn_sign(tokens: list[Token]) -> Iterator[Change]:
    """`+` becomes `-`, and back, where no plain number follows."""
    for index, token in enumerate(tokens[:-1]):
        if token.text in {"+", "-"} and tokens[index + 1].kind != "number":
            yield Change(token.start, token.end, "-" if token.text == "+" else "+")


def swap_word(tokens: list[Token]) -> Iterator[Change]:
    """`least` becomes `greatest`, `true` becomes `false`, and back."""
    for token in tokens:
        if token.text in _WORDS:
            yield Change(token.start, token.end, _WORDS[token.text])


def take_one_of_coalesce(tokens: list[Token]) -> Iterator[Change]:
    """`coalesce(a, b)` becomes `(a)`, and `(b)`."""
    for index, token in enumerate(tokens[:-1]):
        if token.text != "coalesce" or tokens[index + 1].text != "(":
            continue
        opening, end = index + 1, closing(tokens, index + 1)
        inner = tokens[opening].depth + 1
        comma = next(i for i in range(opening, end) if tokens[i].text == "," and tokens[i].depth == inner)
        yield Change(tokens[comma].start, tokens[end - 1].end, "")
        yield Change(tokens[opening + 1].start, tokens[comma].end, "")


def drop_assignment(tokens: list[Token]) -> Iterator[Change]:
    """A column that `set` changes keeps its value."""
    for index, column in assignments(tokens).items():
        depth = tokens[index].depth
        ends = (
            i
            for i in range(index + 1, len(tokens))
            if tokens[i].depth < depth
            or (tokens[i].depth == depth and tokens[i].text in {",", "from", "where", "returning"})
        )
        value = tokens[index + 1 : next(ends, len(tokens))]
        # What the value refers to must stay referred to: PostgreSQL refuses a parameter without a type.
        yield Change(value[0].start, value[-1].end, f"case when true then {column} else {text_of(value)} end")
