"""compose.yaml names what there is: images, commands, settings."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from swaprail_local.configuration import SERVICES as SETTINGS
from swaprail_local.configuration import settings_of

ROOT = Path(__file__).parents[3]
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
OURS = ("migrate", "api", "router", "executor", "notifier")
VERSION = yaml.safe_load((ROOT / "deploy" / "helm" / "swaprail" / "Chart.yaml").read_text())["appVersion"]


@pytest.fixture(params=OURS)
def service(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    return request.param, COMPOSE["services"][request.param]


def test_a_service_runs_its_own_image_when_nothing_is_set(service: tuple[str, dict[str, Any]]) -> None:
    name, given = service
    image = "api" if name == "migrate" else name
    assert given["image"] == f"${{PREFIX:-swaprail}}/{image}:${{TAG:-{VERSION}}}"


def test_a_service_cannot_write_or_gain_rights_when_it_runs(service: tuple[str, dict[str, Any]]) -> None:
    _, given = service
    assert given["read_only"] is True
    assert given["cap_drop"] == ["ALL"]
    assert given["security_opt"] == ["no-new-privileges:true"]


def test_a_service_is_given_settings_that_exist_when_it_starts(service: tuple[str, dict[str, Any]]) -> None:
    _, given = service
    known = {setting.name for owner in SETTINGS for setting in settings_of(owner)}
    assert set(given["environment"]) <= known


def test_services_begin_after_the_migration_and_report_health_when_composed() -> None:
    for name in OURS[1:]:
        given = COMPOSE["services"][name]
        assert given["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
        assert "9000/health/ready" in given["healthcheck"]["test"][-1]
