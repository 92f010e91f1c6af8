#!/usr/bin/env python3
"""Copy the comments of values.yaml into values.schema.json as descriptions, so that they are written once.

With --check nothing is written, and the exit code tells whether they agree. A property without a comment keeps the
description it has: those that several values share stand in the schema's definitions.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CHART = Path(__file__).parent / "swaprail"
SCHEMA = CHART / "values.schema.json"
COMPONENTS = ("api", "router", "executor", "notifier", "migration")
_LINE = re.compile(r"(?P<indent> *)(?:# ?(?P<comment>.*)|(?P<key>[A-Za-z]\w*):.*)")

type Node = dict[str, Any]
type Keys = tuple[str, ...]


def comments(text: str) -> Iterator[tuple[Keys, str]]:
    """Yield path and comment of each value that has a comment beginning with `# --`."""
    path: list[tuple[int, str]] = []
    comment: list[str] = []
    for line in text.splitlines():
        match = _LINE.fullmatch(line)
        if match is None:
            comment = []
        elif match["key"] is None:
            comment = [*comment, match["comment"]] if comment or match["comment"].startswith("-- ") else []
        else:
            indent = len(match["indent"])
            path = [(depth, key) for depth, key in path if depth < indent] + [(indent, match["key"])]
            if comment:
                yield tuple(key for _, key in path), " ".join(comment).removeprefix("-- ")
            comment = []


def properties(schema: Node, node: Node) -> Node:
    """Return the properties of a node, wherever they are defined."""
    if "$ref" in node:
        node = schema["definitions"][node["$ref"].rpartition("/")[2]]
    found: Node = node.get("properties", {})
    return found


def describe(schema: Node, path: Keys, text: str) -> None:
    """Set the description of the property at a path; one that is shared keeps what it has."""
    node, shared = schema, False
    for key in path:
        shared = shared or "$ref" in node
        node = properties(schema, node).get(key, {})
        if not node:
            return
    if not shared or "description" not in node:
        node["description"] = text


def described(schema: Node, values: str) -> Node:
    found = dict(comments(values))
    for path, text in found.items():
        if path[0] == "defaults":
            for component in COMPONENTS:
                describe(schema, (component, *path[1:]), text)
    for path, text in found.items():
        describe(schema, path, text)
    return schema


def main() -> None:
    before = SCHEMA.read_text()
    after = json.dumps(described(json.loads(before), (CHART / "values.yaml").read_text()), indent=2) + "\n"
    if "--check" not in sys.argv:
        SCHEMA.write_text(after)
    elif before != after:
        sys.exit("values.schema.json does not say what values.yaml says: run 'make chart-docs' and commit it")


if __name__ == "__main__":
    main()
