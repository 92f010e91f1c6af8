"""What the pages of docs/operations name is there, as far as that can be told without a cluster; test_operations.py of e2e runs them."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.docs.pages import OPERATIONS, ROOT, anchors, blocks, commands, links, prose
from tests.e2e.test_operations import PAGES as RUN

CHART = ROOT / "deploy/helm/swaprail"
PAGES = sorted(OPERATIONS.glob("*.md"))
VALUES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())
SCHEMA: dict[str, Any] = yaml.safe_load((CHART / "values.schema.json").read_text())
COMPONENTS = ("api", "router", "executor", "notifier", "migration")

pytestmark = pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)


def _known(path: str) -> bool:
    """Tell whether a dotted path is a value of the chart; what a component may name anew is one of its own."""
    first, *rest = path.split(".")
    if first not in VALUES:
        return False
    places: list[Any] = [VALUES[first], VALUES["defaults"]] if first in COMPONENTS else [VALUES[first]]
    return any(_leads(place, rest) for place in places)


def _leads(place: Any, names: list[str]) -> bool:
    for name in names:
        if place == {}:  # open: image, config, annotations and the like
            return True
        if not isinstance(place, dict) or name not in place:
            return False
        place = place[name]
    return True


def _paths(values: Any, above: str = "") -> list[str]:
    if not isinstance(values, dict) or not values:
        return [above]
    return [path for name, below in values.items() for path in _paths(below, f"{above}.{name}" if above else name)]


def _code_spans(page: Path) -> list[str]:
    return re.findall(r"`([^`\n]+)`", prose(page))


def _words(page: Path) -> str:
    return "\n".join([*(block.code for block in blocks(page)), *_code_spans(page)])


def test_its_commands_are_run_when_it_has_any(page: Path) -> None:
    assert (page.stem in RUN) == bool(commands(page))


def test_its_links_lead_somewhere_when_they_stay_in_the_tree(page: Path) -> None:
    broken = []
    for link in links(page):
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_the_values_it_names_are_the_charts(page: Path) -> None:
    roots = "|".join(VALUES)
    named = {span.split(":")[0].strip() for span in _code_spans(page) if re.match(rf"({roots})\.[\w.]+(:.*)?$", span)}
    set_by = set(re.findall(rf"--set(?:-string)? [\"']?((?:{roots})\.[\w.]+)=", _words(page)))
    assert {path for path in named | set_by if not _known(path)} == set()


def test_the_values_it_writes_are_the_charts(page: Path) -> None:
    written = [block.code for block in blocks(page) if block.language == "yaml"]
    written += re.findall(r"cat >\"\$\w+\" <<'?YAML'?\n(.*?)^YAML$", _words(page), re.DOTALL | re.MULTILINE)
    paths = [path for text in written for path in _paths(yaml.safe_load(re.sub(r"\$\w+", "1", text)))]
    assert {path for path in paths if not _known(path)} == set()


def test_the_settings_it_names_are_settings(page: Path) -> None:
    settings = set(re.findall(r"^\| `([A-Z_]+)`", (ROOT / "docs/configuration.md").read_text(), re.MULTILINE))
    variables = set(re.findall(r"\b([A-Z][A-Z0-9_]+)\b", "\n".join(block.code for block in commands(page))))
    named = {name for span in _code_spans(page) for name in re.findall(r"^([A-Z]+(?:_[A-Z0-9]+)+)(?::.*)?$", span)}
    assert named - settings - variables == set()


def test_the_metrics_it_names_are_measured(page: Path) -> None:
    measured = set(re.findall(r"^\| `(\w+)`", (ROOT / "docs/metrics.md").read_text(), re.MULTILINE))
    named = set(re.findall(r"\b(swaprail_[a-z_]+[a-z])\b(?!_?\$)", _words(page)))
    unknown = {name for name in named - measured if not any(known.startswith(name) for known in measured)}
    assert unknown == set()


def test_the_make_targets_it_names_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z][a-z0-9-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"^make ([a-z][a-z0-9-]*)", _words(page), re.MULTILINE))
    assert named - targets == set()


def test_bash_reads_its_commands(page: Path) -> None:
    for block in commands(page):
        read = subprocess.run(["bash", "-n"], input=block.code, capture_output=True, text=True, timeout=10, check=False)
        assert read.returncode == 0, f"{block.heading}: {read.stderr}"


def test_its_checks_can_fail_when_the_shell_stops_at_errors(page: Path) -> None:
    """`set -e` does not look at a command after `!`, and a `grep -q` that ends early fails the pipe before it."""
    lines = [line.strip() for block in commands(page) for line in block.code.splitlines()]
    assert [line for line in lines if line.startswith("! ") or re.search(r"\| *grep (--quiet|-q)", line)] == []
