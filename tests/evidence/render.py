"""The page of guarantees: its text is a template, its figures are what the suites have kept."""

from collections.abc import Mapping, Sequence

from tests.evidence.records import FOLDER, ROOT, Figure, Record

PAGE = ROOT / "docs" / "guarantees.md"
TEMPLATE = FOLDER / "guarantees.in.md"
PLACE = "<!-- evidence -->\n"


def guarantees_page(records: Sequence[Record]) -> str:
    """Return docs/guarantees.md."""
    text, place, rest = TEMPLATE.read_text().partition(PLACE)
    assert place, f"{TEMPLATE.name} has no place for the evidence"
    return text + "\n".join(_section(record) for record in records) + rest


def _section(record: Record) -> str:
    head = (
        f"### {record.title}\n\n"
        f"`{record.command}` on {record.date}, commit {record.commit}, {record.processors} processors, "
        f"Python {record.python}.\n"
    )
    tables = "".join(f"\n{title}:\n\n{_table(rows)}" for title, rows in record.tables.items())
    return f"{head}\n{_table([{'figure': name, 'value': value} for name, value in record.figures.items()])}{tables}"


def _table(rows: Sequence[Mapping[str, Figure]]) -> str:
    columns = list(rows[0])
    lines = [columns, ["---" for _ in columns], *([_cell(row.get(column, "")) for column in columns] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(value: Figure) -> str:
    if isinstance(value, float):
        return f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else value
