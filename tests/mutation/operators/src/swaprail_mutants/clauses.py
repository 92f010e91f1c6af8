"""Mutations of clauses: locks, order, limits and joins."""

from collections.abc import Iterator

from swaprail_mutants.changes import Change
from swaprail_mutants.tokens import Token, closing, word_at

_ENDS = frozenset({"limit", "for", "where", "on", "returning", "union"})


def drop_lock(tokens: list[Token]) -> Iterator[Change]:
    """Rows are not locked, or waited for when they are."""
    for index, token in enumerate(tokens):
        if token.text == "for" and word_at(tokens, index + 1) == "update":
            yield Change(token.start, tokens[_lock_end(tokens, index) - 1].end, "")
        elif token.text == "skip":
            yield Change(token.start, tokens[index + 1].end, "")


def drop_clause(tokens: list[Token]) -> Iterator[Change]:
    """No order, no `distinct on`, no `on conflict`, and a limit of one more."""
    for index, token in enumerate(tokens):
        pair = token.text, word_at(tokens, index + 1)
        if token.text == "limit":
            yield Change(tokens[index + 1].end, tokens[index + 1].end, " + 1")
        elif pair == ("order", "by"):
            yield Change(token.start, tokens[_clause_end(tokens, index) - 1].end, "")
        elif pair == ("distinct", "on"):
            yield Change(token.start, tokens[closing(tokens, index + 2)].end, "")
        elif pair == ("on", "conflict"):
            yield Change(token.start, tokens[index + 3].end, "")


def join_inner(tokens: list[Token]) -> Iterator[Change]:
    """`left join` becomes `join`."""
    for index, token in enumerate(tokens):
        if token.text == "left" and word_at(tokens, index + 1) == "join":
            yield Change(token.start, token.end, "")


def _lock_end(tokens: list[Token], index: int) -> int:
    end = index + 2
    if word_at(tokens, end) == "of":
        end += 2
    return end + 2 if word_at(tokens, end) == "skip" else end


def _clause_end(tokens: list[Token], index: int) -> int:
    depth = tokens[index].depth
    for end in range(index + 1, len(tokens)):
        token = tokens[end]
        if token.depth < depth or token.text == ";" or (token.depth == depth and token.text in _ENDS):
            return end
    return len(tokens)
