"""The bill of materials of each image says what its lock says: every package, version and hash, and no registry."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

ROOT = Path(__file__).parents[2]
SERVICES = ("api", "router", "executor", "notifier")


@pytest.fixture(scope="module")
def boms(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    home = tmp_path_factory.mktemp("sbom")
    subprocess.run([sys.executable, ROOT / "scripts" / "sbom", home], check=True, capture_output=True)
    return {service: (home / f"{service}.cdx.json").read_text() for service in SERVICES}


def locked(service: str) -> dict[str, tuple[str, set[str]]]:
    """Return version and hashes of each package, read line by line: another way than the script's."""
    found: dict[str, tuple[str, set[str]]] = {}
    name = ""
    for line in (ROOT / "locks" / f"{service}.lock").read_text().splitlines():
        if line.startswith(" "):
            found[name][1].add(line.strip().removesuffix(" \\").removeprefix("--hash=sha256:"))
        else:
            name, _, rest = line.partition("==")
            found[name] = (rest.split()[0], set())
    return found


@pytest.mark.parametrize("service", SERVICES)
def test_every_locked_package_is_listed_with_version_and_hashes(boms: dict[str, str], service: str) -> None:
    parts: list[dict[str, Any]] = json.loads(boms[service])["components"]
    listed = {p["name"]: (p["version"], {h["content"] for h in p["hashes"]}) for p in parts if "hashes" in p}
    assert listed == locked(service)
    assert all(hashes for _, hashes in listed.values())


@pytest.mark.parametrize("service", SERVICES)
def test_our_own_packages_are_listed(boms: dict[str, str], service: str) -> None:
    names = {part["name"] for part in json.loads(boms[service])["components"]}
    venues = {"swaprail-venues"} if service in ("router", "executor") else set()
    assert {name for name in names if name.startswith("swaprail")} == {"swaprail", f"swaprail-{service}"} | venues


@pytest.mark.parametrize("service", SERVICES)
def test_the_document_is_valid_and_names_no_registry(boms: dict[str, str], service: str) -> None:
    error = JsonStrictValidator(SchemaVersion.V1_5).validate_str(boms[service])
    assert error is None, str(error)[:500]
    assert not re.findall(r"https?://|index|simple/", boms[service])
