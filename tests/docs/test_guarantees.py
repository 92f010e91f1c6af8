"""docs/guarantees.md is what the suites have kept, and names what there is."""

import re

from tests.docs.pages import ROOT, links
from tests.evidence import guarantees_page, load_records

PAGE = ROOT / "docs" / "guarantees.md"


def test_the_page_is_what_was_kept_when_it_is_rendered_again() -> None:
    assert PAGE.read_text() == guarantees_page(load_records()), "run 'python -m tests.evidence' and commit the result"


def test_its_links_and_paths_lead_somewhere() -> None:
    named = [
        *links(PAGE),
        *(f"../{path}" for path in re.findall(r"`((?:tests|services|libs)/[\w/.]+)`", PAGE.read_text())),
    ]
    assert [name for name in named if not (PAGE.parent / name.partition("#")[0]).exists()] == []


def test_every_invariant_is_in_the_table_once() -> None:
    assert re.findall(r"^\| (I\d+) ", PAGE.read_text(), re.MULTILINE) == [f"I{n}" for n in range(1, 16)]
