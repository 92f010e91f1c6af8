"""Everything that the served OpenAPI document allows, and much that it does not, against the real API with data in it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.evidence import Figure
from tests.fuzz.served import LIMIT_S, add_key
from tests.system.engine import Engine

pytestmark = [pytest.mark.system, pytest.mark.timeout(LIMIT_S)]
ORDER = {"userWallet": "alice", "inputToken": "SOL", "outputToken": "USDC", "inputAmount": "1.5"}
LEAST_CASES = 5_000
EXAMPLES, LONG_EXAMPLES = 520, 2_000  # for each operation
CONFIG = """
hooks = "tests.fuzz.st_hooks"
continue-on-failure = true

[dictionaries]
order = { values = [%(orders)s] }
key = { values = [%(keys)s] }
wallet = { values = ["alice", "bob"] }
token = { values = ["SOL", "USDC", "USDT"] }
amount = { values = ["1.5", "0.000000001", "1000"] }

[parameters]
"path.orderId" = { dictionary = "order", probability = 0.7 }
"path.keyId" = { dictionary = "key", probability = 0.3 }
"path.wallet" = { dictionary = "wallet", probability = 0.5 }
"query.inputToken" = { dictionary = "token", probability = 0.8 }
"query.outputToken" = { dictionary = "token", probability = 0.8 }
"query.inputAmount" = { dictionary = "amount", probability = 0.5 }
"body.inputToken" = { dictionary = "token", probability = 0.8 }
"body.outputToken" = { dictionary = "token", probability = 0.8 }
"body.inputAmount" = { dictionary = "amount", probability = 0.5 }

[checks]
# What is valid by its form may break a rule of the catalogue; our own check tells the two apart.
positive_data_acceptance = { expected-statuses = ["2xx", 400, 401, 403, 404, 409, 422] }

[[operations]]
# Bad orders of a batch have results of their own.
include-path = "/api/orders/batch"
checks = { negative_data_rejection = { expected-statuses = [207, 400, 401, 413, 415, 422] } }
"""


async def _fill(engine: Engine, key: str) -> tuple[list[str], list[str]]:
    """Return ids of orders in several states, and of keys."""
    async with httpx.AsyncClient(base_url=engine.url, headers={"authorization": f"Bearer {key}"}) as client:
        placed = [await client.post("/api/orders", json=ORDER) for _ in range(4)]
        placed += [await client.post("/api/orders/execute", json=ORDER) for _ in range(4)]
        made = [await client.post("/api/keys", json={"name": "n", "scopes": ["orders:read"]}) for _ in range(3)]
        ids = [str(answer.json()["orderId"]) for answer in placed]
        assert (await client.post(f"/api/orders/{ids[0]}/cancel")).status_code == 202
        return ids, [str(answer.json()["id"]) for answer in made]


def _quoted(values: list[str]) -> str:
    return ", ".join(f'"{value}"' for value in values)


def _run(engine: Engine, key: str, home: Path, config: str, seed: int, examples: int) -> tuple[int, str, Any]:
    (home / "schemathesis.toml").write_text(config)
    report = home / "report.json"
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(home / "schemathesis.toml"), "run"]
    command += [f"{engine.url}/docs/openapi.json", "-H", f"Authorization: Bearer {key}", "--checks", "all"]
    command += ["--max-examples", str(examples), "--seed", str(seed), "--workers", "2", "--no-color"]
    # A seed has no past: with a database, half of the time goes into making kept examples simpler.
    command += ["--generation-database", "none"]
    command += ["--report", "json", "--report-json-path", str(report), "--request-timeout", "10"]
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": root, "FUZZ_KEY_ID": key.split("_")[1]}
    done = subprocess.run(
        command, cwd=home, env=environment, capture_output=True, text=True, timeout=LIMIT_S - 20, check=False
    )
    told = done.stdout + done.stderr
    return done.returncode, told, json.loads(report.read_text()) if report.exists() else {}


async def test_the_api_keeps_its_document_when_asked_anything(
    engine: Engine, tmp_path: Path, seed: int, long_form: bool, figures: dict[str, Figure]
) -> None:
    key = add_key(engine.dsn, "one")
    orders, keys = await _fill(engine, key)
    config = CONFIG % {"orders": _quoted(orders), "keys": _quoted(keys)}
    code, told, report = _run(engine, key, tmp_path, config, seed, LONG_EXAMPLES if long_form else EXAMPLES)
    assert code == 0, f"FUZZ_SEED={seed}\n{told}"
    cases = report["test_cases"]["generated"]
    figures |= {"requests made from the OpenAPI document": cases, "breaks of its contract, and 5xx": 0}
    assert cases >= LEAST_CASES
    log = (engine.home / "api.log").read_text()
    assert "request failed" not in log
