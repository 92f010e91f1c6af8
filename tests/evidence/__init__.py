"""What the long suites have shown: kept in docs/evidence, and rendered into docs/guarantees.md, never by hand."""

from tests.evidence.records import Figure, Record, load_records, record
from tests.evidence.render import guarantees_page

__all__ = ["Figure", "Record", "guarantees_page", "load_records", "record"]
