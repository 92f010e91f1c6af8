"""Which service gets which secret, and where it comes from."""

import pytest
from deploy.helm.tests.pods import COMPONENTS, MINIMAL, container, deployment, migration, minimal, secrets
from deploy.helm.tests.rendering import Object, merged, render

READERS = {
    "api": {"CURSOR_SECRET", "WS_TICKET_SECRET"},
    "router": set(),
    "executor": {"PAPER_SIGNER_SEED"},
    "notifier": {"WS_TICKET_SECRET"},
}
BY_VALUE: Object = {"existingSecret": "", "cursorSecret": "c", "wsTicketSecret": "w" * 32, "paperSignerSeed": "ab" * 32}


@pytest.mark.parametrize("component", COMPONENTS)
def test_service_gets_its_own_secrets_and_no_others(component: str) -> None:
    found = secrets(container(minimal(), component))
    assert set(found) - {"DATABASE_URL", "REDIS_URL"} == READERS[component]


def test_migration_gets_the_database_and_nothing_else() -> None:
    (found,) = migration(minimal())["spec"]["template"]["spec"]["containers"]
    assert set(secrets(found)) == {"DATABASE_URL"}


def test_keys_of_the_secret_are_the_named_ones() -> None:
    keys = {"cursorSecret": "a", "wsTicketSecret": "b", "paperSignerSeed": "c"}
    objects = minimal({"secrets": {"existingSecret": "mine", "secretKeys": keys}})
    assert secrets(container(objects, "api"))["CURSOR_SECRET"] == ("mine", "a")
    assert secrets(container(objects, "notifier"))["WS_TICKET_SECRET"] == ("mine", "b")
    assert secrets(container(objects, "executor"))["PAPER_SIGNER_SEED"] == ("mine", "c")


def test_secret_is_not_read_when_its_key_has_no_name() -> None:
    keys = {"wsTicketSecret": "", "paperSignerSeed": ""}
    objects = minimal({"secrets": {"secretKeys": keys}, "appEnv": "development"})
    assert "WS_TICKET_SECRET" not in secrets(container(objects, "api"))
    assert "PAPER_SIGNER_SEED" not in secrets(container(objects, "executor"))


def test_secret_is_made_when_given_by_value() -> None:
    objects = minimal({"secrets": BY_VALUE})
    assert objects.one("Secret", "swaprail")["stringData"] == {
        "CURSOR_SECRET": "c",
        "WS_TICKET_SECRET": "w" * 32,
        "PAPER_SIGNER_SEED": "ab" * 32,
    }
    assert secrets(container(objects, "api"))["CURSOR_SECRET"] == ("swaprail", "CURSOR_SECRET")


def test_missing_secrets_are_made_when_asked_for() -> None:
    values = {"secrets": {"existingSecret": "", "cursorSecret": "given", "generate": True}}
    made, other = (render(merged(MINIMAL, values)).one("Secret", "swaprail")["stringData"] for _ in range(2))
    assert made["CURSOR_SECRET"] == "given"
    assert set(made) == {"CURSOR_SECRET", "WS_TICKET_SECRET", "PAPER_SIGNER_SEED"}
    for name in ("WS_TICKET_SECRET", "PAPER_SIGNER_SEED"):
        assert len(bytes.fromhex(made[name])) == 32
        assert made[name] != other[name]


def test_pods_do_not_roll_when_only_generated_secrets_differ() -> None:
    values = {"secrets": {"existingSecret": "", "generate": True}}
    templates = [deployment(render(merged(MINIMAL, values)), "api")["template"] for _ in range(2)]
    assert templates[0] == templates[1]
