"""Start the services anew when the source changes."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from watchfiles import PythonFilter, awatch


def source_roots(checkout: Path) -> list[Path]:
    """Return the source directories of all packages of a checkout."""
    return [*sorted(checkout.glob("libs/*/src")), *sorted(checkout.glob("services/*/src"))]


async def reload_on_change(roots: list[Path], changed: Callable[[set[str]], Awaitable[None]]) -> None:
    """Call changed() with the paths after each change, until cancelled."""
    if not roots:
        raise FileNotFoundError("no libs/*/src and services/*/src here: run this in a checkout")
    async for changes in awatch(*roots, watch_filter=PythonFilter(extra_extensions=(".json", ".sql")), step=200):
        await changed({path for _, path in changes})
