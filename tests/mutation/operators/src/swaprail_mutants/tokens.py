"""The words and signs of SQL as it stands in a Python literal, with the holes of an f-string."""

import re
from typing import NamedTuple

_TOKEN = re.compile(
    r"""(?P<hole>\{\{|\}\}|\{[^{}]*\})
    |(?P<string>[eE]?'[^']*')
    |(?P<comment>--[^\n]*)
    |(?P<param>\$\d+)
    |(?P<number>\d+(?:\.\d+)?)
    |(?P<word>[A-Za-z_][\w.]*)
    |(?P<sign>::|=>|<>|<=|>=|[=<>+\-*/(),;\[\]])""",
    re.VERBOSE,
)
# What ends an operand of `where`, `on`, `and` and `or`.
_ENDS = frozenset(
    {"and", "or", "where", "on", "when", "then", "else", "end", "order", "group", "having", "limit", "for"}
    | {"returning", "join", "left", "cross", "union", "from"}
)
_LITERAL = re.compile(r"""(?P<prefix>[a-zA-Z]*)(?P<quotes>\"{3}|'{3}|["'])(?P<text>.*)(?P=quotes)\Z""", re.DOTALL)
_STATEMENT = re.compile(
    r"\b(select|update|delete)\s.*\b(from|set)\b|\binsert into\b|\b(coalesce|extract|concat_ws)\(", re.DOTALL
)


class Token(NamedTuple):
    """A token, where it is in the text, and inside how many parentheses."""

    kind: str
    text: str
    start: int
    end: int
    depth: int


def literal_text(code: str) -> tuple[int, str]:
    """Return where the text of a Python literal begins in its source, and the text."""
    literal = _LITERAL.match(code)
    return (literal.start("text"), literal["text"]) if literal else (0, "")


def is_sql(code: str) -> bool:
    """Tell whether a Python literal is a statement of ours, or a part of one."""
    return _STATEMENT.search(literal_text(code)[1]) is not None


def tokens_of(code: str) -> list[Token]:
    """Return the tokens of the SQL in a Python literal; positions are those in its source."""
    begin, text = literal_text(code)
    tokens: list[Token] = []
    depth = 0
    for found in _TOKEN.finditer(text):
        depth -= found[0] == ")"
        tokens.append(Token(str(found.lastgroup), found[0], begin + found.start(), begin + found.end(), depth))
        depth += found[0] == "("
    return [token for token in tokens if token.kind != "comment"]


def word_at(tokens: list[Token], index: int) -> str:
    """Return the token's text, or nothing where there is none."""
    return tokens[index].text if 0 <= index < len(tokens) else ""


def end_of_operand(tokens: list[Token], first: int) -> int:
    """Return the index past the operand that begins at `first`, at the depth of its first token."""
    depth = tokens[first].depth
    for index in range(first, len(tokens)):
        token = tokens[index]
        distinct_from = token.text == "from" and word_at(tokens, index - 1) == "distinct"
        outside = token.depth < depth or (token.depth == depth and token.text in {",", ";"})
        if outside or (token.depth == depth and token.text in _ENDS and not distinct_from):
            return index
    return len(tokens)


def closing(tokens: list[Token], opening: int) -> int:
    """Return the index of the parenthesis that closes the one at `opening`."""
    depth = tokens[opening].depth
    return next(i for i in range(opening + 1, len(tokens)) if tokens[i].text == ")" and tokens[i].depth == depth)


def assignments(tokens: list[Token]) -> dict[int, str]:
    """Return the `=` that assign in `update … set`, by index, with the column's name as it can be read."""
    found: dict[int, str] = {}
    for index, token in enumerate(tokens):
        if token.text == "update" and word_at(tokens, index - 1) != "for":
            found.update(_set_list(tokens, index))
    return found


def _set_list(tokens: list[Token], update: int) -> dict[int, str]:
    begin = next((i for i in range(update, len(tokens)) if tokens[i].text == "set"), len(tokens))
    alias = tokens[begin - 1].text
    found: dict[int, str] = {}
    expected = True
    for index in range(begin + 1, len(tokens)):
        token = tokens[index]
        if token.depth < tokens[begin].depth or (
            token.depth == tokens[begin].depth and token.text in {"from", "where", "returning"}
        ):
            break
        if token.depth == tokens[begin].depth and token.text == "=" and expected:
            found[index] = f"{alias}.{tokens[index - 1].text}"
            expected = False
        expected = expected or (token.depth == tokens[begin].depth and token.text == ",")
    return found
