"""Where in a source a line is, in words that stay true when lines are added above it."""

import ast


class Places:
    """The functions, and the constants of the module, of one source."""

    def __init__(self, source: str) -> None:
        self._spans = sorted(_spans(ast.parse(source).body, ""), key=lambda span: span[1] - span[0])

    def of(self, line: int) -> str:
        """Return the name of the innermost function, class or constant that the line is in."""
        return next((name for first, last, name in self._spans if first <= line <= last), "module")


def _spans(body: list[ast.stmt], outer: str) -> list[tuple[int, int, str]]:
    spans: list[tuple[int, int, str]] = []
    for node in body:
        assert node.end_lineno is not None
        spans += [(node.lineno, node.end_lineno, outer + name) for name in _names(node)]
        if isinstance(node, ast.ClassDef):
            spans += _spans(node.body, f"{outer}{node.name}.")
    return spans


def _names(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]
