"""Runbooks: complete, and every command, query and name in them is right."""

import re

import asyncpg
import pytest
from deploy.helm.tests.promql import known, unknown
from deploy.helm.tests.watching import ROOT, RUNBOOKS, alert_names, code_blocks, promql_blocks, rules, runbook_names

PAGES = sorted(runbook_names())
TEXTS = {path.stem: path.read_text() for path in RUNBOOKS.glob("*.md")}
SECTIONS = [
    "What it means",
    "How urgent",
    "First look",
    "Likely causes",
    "What to do",
    "What not to do",
    "How to know it is over",
]
SETTING = re.compile(r"`([A-Z]+(?:_[A-Z0-9]+)+)`")


@pytest.mark.parametrize("page", PAGES)
def test_sections_are_complete_when_a_page_is_opened(page: str) -> None:
    assert re.findall(r"^# (.*)$", TEXTS[page], re.MULTILINE) == [page]
    assert re.findall(r"^## (.*)$", TEXTS[page], re.MULTILINE) == SECTIONS


def test_index_tells_severities_when_an_alert_is_looked_up() -> None:
    listed = re.findall(r"^\| \[(\w+)\]\((\w+)\.md\) \| ([a-z, ]+) \|", TEXTS["README"], re.MULTILINE)
    assert {name for name, _, _ in listed} == alert_names()
    for name, target, severities in listed:
        assert name == target
        assert set(severities.split(", ")) == {r["labels"]["severity"] for r in rules("alert") if r["alert"] == name}


def test_page_exists_when_another_links_to_it() -> None:
    linked = {link for text in TEXTS.values() for link in re.findall(r"\]\(([\w/.]+)\)", text)}
    assert {link for link in linked if not (RUNBOOKS / link).exists()} == set()


async def test_sql_runs_when_the_schema_is_migrated(database: str) -> None:
    connection = await asyncpg.connect(database)
    try:
        for page in TEXTS:
            for block in code_blocks(page, "sql"):
                async with connection.transaction(readonly=True):
                    await connection.execute(block)
    finally:
        await connection.close()


def test_series_exist_when_a_query_names_them() -> None:
    series = known()
    missing = {query: unknown(query, series) for query in promql_blocks()}
    assert {query: names for query, names in missing.items() if names} == {}


def test_setting_exists_when_a_page_names_it() -> None:
    settings = set(SETTING.findall((ROOT / "docs/configuration.md").read_text()))
    named = {name for text in TEXTS.values() for name in SETTING.findall(text)}
    assert named - settings == set()


def test_log_line_is_written_when_a_page_searches_for_it() -> None:
    sources = [*ROOT.glob("libs/*/src/**/*.py"), *ROOT.glob("services/*/src/**/*.py")]
    code = "\n".join(path.read_text() for path in sources)
    searches = [line for page in TEXTS for block in code_blocks(page, "sh") for line in re.findall(r"grep .*", block)]
    sought = {text for line in searches for text in re.findall(r"'([^']+)'", line)}
    assert sought
    assert {text for text in sought if text not in code and not text.startswith("00000000-")} == set()
