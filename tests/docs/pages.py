"""Pages of Markdown, as far as the tests read them: commands by heading, links, and the anchors they may lead to."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
OPERATIONS = ROOT / "docs" / "operations"

_HEADING = re.compile(r"^#+ (.+)$")
_FENCE = re.compile(r"^```(\w*)$")
_LINK = re.compile(r"\]\(([^)\s]+)\)")


class Block(NamedTuple):
    """A fenced block, and the heading that it stands under."""

    heading: str
    language: str
    code: str


def blocks(page: Path) -> list[Block]:
    """Return a page's fenced blocks, in order."""
    found: list[Block] = []
    heading, language, code = "", None, list[str]()
    for line in page.read_text().splitlines():
        fence = _FENCE.match(line)
        if fence and language is None:
            language, code = fence[1], []
        elif fence:
            found.append(Block(heading, language or "", "\n".join(code) + "\n"))
            language = None
        elif language is not None:
            code.append(line)
        elif title := _HEADING.match(line):
            heading = title[1]
    assert language is None, f"{page.name}: a block is not closed"
    return found


def commands(page: Path) -> list[Block]:
    """Return the blocks that a reader runs."""
    return [block for block in blocks(page) if block.language == "sh"]


def prose(page: Path) -> str:
    """Return the page without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)


def links(page: Path) -> list[str]:
    """Return what the page links to, but for other sites."""
    return [link for link in _LINK.findall(prose(page)) if "://" not in link]


def anchors(page: Path) -> set[str]:
    """Return the names by which a link reaches the page's headings."""
    titles = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
