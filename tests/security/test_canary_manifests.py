"""No secret is in a manifest of the chart but in a Secret."""

import base64
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.invariants.secrets import find_secrets
from tests.security.canary import Canaries

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]
SEED = 11
ROOT = Path(__file__).parents[2]


def _by_value(values: dict[str, Any], canaries: Canaries) -> dict[str, Any]:
    """Return the values with every secret given as such, not by the name of a Secret."""
    values["secrets"] = {"cursorSecret": canaries.cursor, "wsTicketSecret": canaries.ticket}
    values["secrets"]["paperSignerSeed"] = canaries.signer
    if values.get("bundled", {}).get("enabled"):
        values["bundled"]["postgresql"] = {"password": canaries.database}
        values["bundled"]["redis"] = {"password": canaries.redis}
        return values
    # A hook runs before the release's own Secret is there, so the chart takes no values for it.
    values.get("migration", {}).pop("mode", None)
    for name in ("database", "redis"):
        kept = {key: value for key, value in values[name].items() if key not in ("existingSecret", "secretKeys", "url")}
        values[name] = kept | {"host": name, "password": getattr(canaries, name)}
    return values


@pytest.mark.skipif(shutil.which("helm") is None, reason="helm is not installed: run ../shared/kind/up")
@pytest.mark.parametrize(
    "values", sorted((ROOT / "deploy/helm/swaprail/ci").glob("*-values.yaml")), ids=lambda p: p.stem
)
def test_manifests_hold_secrets_in_secrets_only(values: Path, tmp_path: Path) -> None:
    canaries = Canaries(SEED)
    given = tmp_path / "values.yaml"
    given.write_text(yaml.safe_dump(_by_value(yaml.safe_load(values.read_text()), canaries)))
    command = ["helm", "template", "swaprail", str(ROOT / "deploy/helm/swaprail"), "--values", str(given)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert not find_secrets([done.stderr], canaries.forms())
    assert done.returncode == 0, done.stderr
    objects = [one for one in yaml.safe_load_all(done.stdout) if one]
    open_ones = [json.dumps(one) for one in objects if one["kind"] != "Secret"]
    assert not find_secrets(open_ones, canaries.forms())
    kept = yaml.safe_dump_all(one for one in objects if one["kind"] == "Secret")
    for name in ("database", "redis", "cursor", "ticket", "signer"):
        value = str(getattr(canaries, name))
        assert value in kept or base64.b64encode(value.encode()).decode() in kept, f"{name} was not in use"
