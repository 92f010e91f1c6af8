"""Settings reach the services, and only those the services have."""

import json
import re

import pytest
from deploy.helm.tests.pods import COMPONENTS, config, container, deployment, minimal
from deploy.helm.tests.rendering import CHART, Object, RefusedError

from swaprail.db.migrate import MigrationSettings
from swaprail.settings import Settings
from swaprail_api.settings import ApiSettings
from swaprail_executor.settings import ExecutorSettings
from swaprail_local.configuration import settings_of
from swaprail_notifier.settings import NotifierSettings
from swaprail_router.settings import RouterSettings

SETTINGS: dict[str, type[Settings]] = {
    "api": ApiSettings,
    "router": RouterSettings,
    "executor": ExecutorSettings,
    "notifier": NotifierSettings,
}
# Secrets, and what the chart derives or has a value of its own for.
NOT_IN_CONFIG = re.compile(
    r"APP_ENV|HOST|\w*PORT|DB_(?!POOL_SIZE|TIMEOUT_S|CONNECTION_LIFETIME_S)\w+|DATABASE_URL|REDIS_(?!TIMEOUT_S)\w+|WORKER_NAME|DRAIN_TIMEOUT_S"
    r"|OTEL_\w+|TRACE_SAMPLE_RATIO|FORWARDED_ALLOW_IPS|WS_TRUSTED_PROXIES|CURSOR_SECRET|WS_TICKET_SECRET|PAPER_SIGNER_SEED"
)


def names(component: str) -> set[str]:
    return {setting.name for setting in settings_of(SETTINGS[component])}


def admitted(component: str) -> set[str]:
    schema = json.loads((CHART / "values.schema.json").read_text())["properties"]
    owner = schema[component]["properties"] if component else schema
    return set(owner["config"]["propertyNames"]["enum"])


@pytest.mark.parametrize("component", COMPONENTS)
def test_config_admits_what_the_service_reads_when_it_is_no_secret_and_not_derived(component: str) -> None:
    expected = {name for name in names(component) if not NOT_IN_CONFIG.fullmatch(name)}
    assert admitted(component) == expected


def test_config_of_the_migration_admits_what_it_alone_reads_and_how_it_logs() -> None:
    own = set(MigrationSettings.model_fields) - set(Settings.model_fields) - {"migrate_database_url"}  # a secret
    assert admitted("migration") == {name.upper() for name in own} | {"LOG_LEVEL", "LOG_FORMAT"}


def test_config_of_all_admits_what_every_service_reads() -> None:
    assert admitted("") == set.intersection(*(admitted(component) for component in COMPONENTS))


@pytest.mark.parametrize("component", COMPONENTS)
def test_every_variable_is_a_setting_of_the_service_when_the_chart_sets_it(component: str) -> None:
    objects = minimal({"tracing": {"endpoint": "http://collector:4318"}, "trustedProxies": ["10.0.0.0/8"]})
    given = set(config(objects, component)) | {entry["name"] for entry in container(objects, component)["env"]}
    assert given - names(component) == set()


@pytest.mark.parametrize("component", COMPONENTS)
def test_pods_read_their_configmap_and_know_their_name(component: str) -> None:
    found = container(minimal(), component)
    assert found["envFrom"] == [{"configMapRef": {"name": f"swaprail-{component}"}}]
    name = {"fieldRef": {"fieldPath": "metadata.name"}}
    assert {"name": "WORKER_NAME", "valueFrom": name} in found["env"]


def test_own_config_wins_when_all_services_have_another() -> None:
    objects = minimal({"config": {"LOG_LEVEL": "WARNING"}, "router": {"config": {"LOG_LEVEL": "DEBUG"}}})
    levels = {component: config(objects, component)["LOG_LEVEL"] for component in COMPONENTS}
    assert levels == {"api": "WARNING", "router": "DEBUG", "executor": "WARNING", "notifier": "WARNING"}


def test_values_are_text_as_settings_read_it_when_they_are_numbers_or_booleans() -> None:
    values = {"MAX_OPEN_ORDERS": 10_000_000, "IDEMPOTENCY_KEY_REQUIRED": True, "QUOTES_TIMEOUT_S": 2.5, "RATE_LIMIT": 0}
    data = config(minimal({"api": {"config": values}}), "api")
    assert {name: data[name] for name in values} == {
        "MAX_OPEN_ORDERS": "10000000",
        "IDEMPOTENCY_KEY_REQUIRED": "true",
        "QUOTES_TIMEOUT_S": "2.5",
        "RATE_LIMIT": "0",
    }


@pytest.mark.parametrize("component", COMPONENTS)
def test_pods_roll_when_their_config_changes(component: str) -> None:
    before, after = (
        deployment(minimal({component: {"config": {"LOG_LEVEL": level}}}), component)["template"]["metadata"]
        for level in ("INFO", "DEBUG")
    )
    assert before["annotations"]["checksum/config"] != after["annotations"]["checksum/config"]


@pytest.mark.parametrize(
    "values",
    [
        {"config": {"CURSOR_SECRET": "x"}},
        {"api": {"config": {"DATABASE_URL": "postgresql://u:p@h/d"}}},
        {"api": {"config": {"EXECUTOR_IN_FLIGHT": 1}}},
        {"config": {"PORT": 80}},
        {"config": {"LOG_LEVEL": ["DEBUG"]}},
    ],
)
def test_config_is_refused_when_it_is_a_secret_or_unknown_or_derived(values: Object) -> None:
    with pytest.raises(RefusedError, match=r"invalid propertyName|got array"):
        minimal(values)


def test_production_is_what_runs_unless_development_is_asked_for() -> None:
    assert config(minimal(), "api")["APP_ENV"] == "production"
    assert config(minimal({"appEnv": "development"}), "executor")["APP_ENV"] == "development"


def test_traces_go_nowhere_unless_a_collector_is_named() -> None:
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" not in config(minimal(), "api")
    objects = minimal({"tracing": {"endpoint": "http://collector:4318", "sampleRatio": 0.5}})
    for component in COMPONENTS:
        data = config(objects, component)
        assert data["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://collector:4318"
        assert data["TRACE_SAMPLE_RATIO"] == "0.5"


def test_proxies_are_trusted_by_those_who_face_clients_when_named() -> None:
    objects = minimal({"trustedProxies": ["10.0.0.0/8", "192.168.1.7"]})
    assert config(objects, "api")["FORWARDED_ALLOW_IPS"] == "10.0.0.0/8,192.168.1.7"
    assert config(objects, "notifier")["WS_TRUSTED_PROXIES"] == "10.0.0.0/8,192.168.1.7"
    assert "FORWARDED_ALLOW_IPS" not in config(minimal(), "api")
    assert "WS_TRUSTED_PROXIES" not in config(minimal(), "notifier")


def test_servers_listen_where_the_chart_says() -> None:
    objects = minimal()
    for component, name, port in (("api", "PORT", 3000), ("notifier", "NOTIFIER_PORT", 3001)):
        data, ports = config(objects, component), container(objects, component)["ports"]
        assert (data["HOST"], data["OPS_PORT"], data[name]) == ("0.0.0.0", "9000", str(port))
        assert [entry["containerPort"] for entry in ports] == [port, 9000]
    assert container(objects, "router")["ports"] == [{"name": "ops", "containerPort": 9000}]


def test_pods_listen_and_services_are_reached_by_ipv6_when_the_cluster_has_it() -> None:
    objects = minimal({"listen": "::", "ipFamilyPolicy": "RequireDualStack"})
    for component in COMPONENTS:
        assert config(objects, component)["HOST"] == "::"
    for component in ("api", "notifier"):
        assert objects.one("Service", f"swaprail-{component}")["spec"]["ipFamilyPolicy"] == "RequireDualStack"
        assert "ipFamilyPolicy" not in minimal().one("Service", f"swaprail-{component}")["spec"]
