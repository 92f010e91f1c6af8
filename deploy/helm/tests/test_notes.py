"""What Helm says after it has installed the chart."""

import subprocess

import pytest
import yaml
from deploy.helm.tests.rendering import CHART, Values, ci_values, merged

BASE = ci_values("minimal")


def notes(values: Values) -> str:
    command = ["helm", "install", "swaprail", str(CHART), "--namespace=trading", "--dry-run=client", "--values=-"]
    text = yaml.safe_dump(dict(values))
    answer = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, check=True)
    return answer.stdout.split("\nNOTES:\n")[1]


def test_three_commands_are_told_when_installed() -> None:
    said = notes(BASE)
    assert "exec deployment/swaprail-api -- \\\n     swaprail-keys create" in said
    assert "port-forward service/swaprail-api 3000" in said
    assert "curl --fail-with-body http://127.0.0.1:3000/api/orders/execute" in said


def test_paper_venues_are_named_when_installed() -> None:
    assert "no funds move" in notes(BASE)


def test_test_is_offered_when_there_is_one() -> None:
    assert "helm test swaprail --namespace trading" in notes(BASE)
    assert "helm test" not in notes(merged(BASE, {"orderTest": {"enabled": False}}))


@pytest.mark.parametrize(
    ("ci", "url"), [("ingress", "https://swaps.example.org"), ("httproute", "https://swaps.example.org")]
)
def test_public_address_is_used_when_there_is_one(ci: str, url: str) -> None:
    said = notes(ci_values(ci))
    assert f"curl --fail-with-body {url}/api/orders/execute" in said
    assert "port-forward" not in said
    assert "inside the cluster only" not in said


def test_lack_of_a_way_in_is_told_when_neither_ingress_nor_route_is_on() -> None:
    assert "inside the cluster only" in notes(BASE)


def test_loss_of_orders_is_told_when_the_bundled_database_has_no_volume() -> None:
    assert "WARNING: the bundled PostgreSQL" in notes(ci_values("trial"))
    assert "all orders are gone" in notes(ci_values("trial"))
    kept = merged(ci_values("trial"), {"bundled": {"postgresql": {"storage": {"size": "1Gi"}}}})
    assert "evaluation only" in notes(kept)
    assert "all orders are gone" not in notes(kept)
    assert "evaluation only" not in notes(BASE)


@pytest.mark.parametrize("values", [{"appEnv": "development"}, {"api": {"config": {"API_KEYS_REQUIRED": False}}}])
def test_open_door_is_told_when_keys_are_not_required(values: Values) -> None:
    assert "API keys are not required" in notes(merged(BASE, values))


@pytest.mark.parametrize("values", [{}, {"appEnv": "development", "api": {"config": {"API_KEYS_REQUIRED": True}}}])
def test_no_open_door_is_told_when_keys_are_required(values: Values) -> None:
    assert "API keys are not required" not in notes(merged(BASE, values))


def test_missing_migration_is_told_when_nothing_migrates() -> None:
    assert "until you have run swaprail-migrate" in notes(merged(BASE, {"migration": {"mode": "none"}}))
