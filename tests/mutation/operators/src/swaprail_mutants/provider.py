"""The mutations of SQL as operators of cosmic-ray."""

from collections.abc import Iterator
from typing import Any

from cosmic_ray.operators.operator import Example, Operator
from parso.python.tree import String

from swaprail_mutants.changes import Change
from swaprail_mutants.sql import MUTATIONS
from swaprail_mutants.tokens import is_sql, tokens_of


class Provider:
    """Names the operators."""

    def __iter__(self) -> Iterator[str]:
        return iter(MUTATIONS)

    def __getitem__(self, name: str) -> type[Operator]:
        members = {"mutation": staticmethod(MUTATIONS[name]), "__doc__": MUTATIONS[name].__doc__}
        return type(name, (SqlOperator,), members)


class SqlOperator(Operator):  # type: ignore[misc]  # not installed where types are checked
    """Changes the SQL in a literal, one place at a time."""

    mutation: Any

    def mutation_positions(self, node: Any) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
        """Return where the literal, if it is SQL, can be changed."""
        code, first = _code(node), node.start_pos
        for change in self._changes(node):
            # What is put in between takes the place of nothing: cosmic-ray wants an end after the start.
            end = max(change.end, change.start + 1)
            yield _moved(first, code[: change.start]), _moved(first, code[:end])

    def mutate(self, node: Any, index: int) -> Any:
        """Return a literal with that change."""
        change, code = self._changes(node)[index], _code(node)
        mutated = code[: change.start] + change.text + code[change.end :]
        return String(mutated, node.start_pos, prefix=node.get_first_leaf().prefix)

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Return none: tests/mutation/test_sql.py has them."""
        return ()

    def _changes(self, node: Any) -> list[Change]:
        code = _code(node)
        return list(self.mutation(tokens_of(code))) if code and is_sql(code) else []


def _code(node: Any) -> str:
    """Return the source of a literal, and nothing for any other node, or for a docstring."""
    if node.type not in {"string", "fstring"} or node.parent.type == "simple_stmt":
        return ""
    return str(node.get_code(include_prefix=False))


def _moved(position: tuple[int, int], text: str) -> tuple[int, int]:
    line, column = position
    lines = text.count("\n")
    return line + lines, (len(text) - text.rfind("\n") - 1) if lines else column + len(text)
