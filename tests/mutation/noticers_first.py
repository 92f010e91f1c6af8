"""A plugin of pytest: what noticed most mutants so far runs first, since the next one is often noticed by the same."""

import pytest

_COUNTS = "mutation/noticed"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put those that noticed the most in front."""
    counts: dict[str, int] = config.cache.get(_COUNTS, {})
    items.sort(key=lambda item: -counts.get(item.nodeid, 0))


def pytest_exception_interact(node: pytest.Item | pytest.Collector) -> None:
    """Count a test that fails."""
    counts: dict[str, int] = node.config.cache.get(_COUNTS, {})
    node.config.cache.set(_COUNTS, counts | {node.nodeid: counts.get(node.nodeid, 0) + 1})
