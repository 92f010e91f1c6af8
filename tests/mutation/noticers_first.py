"""A plugin of pytest: what noticed most mutants so far runs first, since the next one is often noticed by the same."""

import json
from pathlib import Path

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put those that noticed the most in front."""
    counts = _read(config)
    items.sort(key=lambda item: -counts.get(item.nodeid, 0))


def pytest_exception_interact(node: pytest.Item | pytest.Collector) -> None:
    """Count a test that fails."""
    counts = _read(node.config)
    _file(node.config).parent.mkdir(exist_ok=True)
    _file(node.config).write_text(json.dumps(counts | {node.nodeid: counts.get(node.nodeid, 0) + 1}))


def _read(config: pytest.Config) -> dict[str, int]:
    return dict(json.loads(_file(config).read_text())) if _file(config).exists() else {}


def _file(config: pytest.Config) -> Path:
    return config.rootpath / ".mutation" / "noticed.json"
