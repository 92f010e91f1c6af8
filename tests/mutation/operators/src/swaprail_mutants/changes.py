"""A change of a source, and what mutations write changes with."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from swaprail_mutants.tokens import Token

type Mutation = Callable[[list[Token]], Iterator[Change]]


class Change(NamedTuple):
    """Put another text in the place of source[start:end]."""

    start: int
    end: int
    text: str


def text_of(tokens: Sequence[Token]) -> str:
    """Return the tokens as SQL: spaces between them mean nothing."""
    return " ".join(token.text for token in tokens)
