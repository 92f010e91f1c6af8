"""Render docs/guarantees.md anew from what is kept."""

from tests.evidence.records import load_records
from tests.evidence.render import PAGE, guarantees_page

PAGE.write_text(guarantees_page(load_records()))
