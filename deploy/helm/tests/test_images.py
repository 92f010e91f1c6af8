"""Which image each pod runs."""

import pytest
from deploy.helm.tests.pods import COMPONENTS, container, migration, minimal, pod
from deploy.helm.tests.rendering import Object

DIGEST = f"sha256:{'a' * 64}"


@pytest.mark.parametrize("component", COMPONENTS)
def test_image_is_the_charts_version_of_the_component_when_nothing_is_said(component: str) -> None:
    found = container(minimal(), component)
    assert found["image"] == f"swaprail/{component}:0.1.0"
    assert found["imagePullPolicy"] == "IfNotPresent"
    assert found["command"] == [f"swaprail-{component}"]


@pytest.mark.parametrize(
    ("values", "image"),
    [
        ({"global": {"imageRegistry": "global.example"}}, "global.example/swaprail/api:0.1.0"),
        (
            {"global": {"imageRegistry": "global.example"}, "image": {"registry": "own.example"}},
            "own.example/swaprail/api:0.1.0",
        ),
        ({"image": {"repository": "team/engine"}}, "team/engine/api:0.1.0"),
        ({"image": {"tag": "1.2.3"}}, "swaprail/api:1.2.3"),
        ({"image": {"tag": "1.2.3"}, "api": {"image": {"tag": "1.2.4"}}}, "swaprail/api:1.2.4"),
        ({"image": {"tag": "1.2.3"}, "api": {"image": {"digest": DIGEST}}}, f"swaprail/api@{DIGEST}"),
        (
            {"api": {"image": {"registry": "api.example", "repository": "any/name"}}},
            "api.example/any/name:0.1.0",
        ),
    ],
)
def test_image_is_composed_when_parts_are_given(values: Object, image: str) -> None:
    objects = minimal(values)
    assert container(objects, "api")["image"] == image
    assert migration(objects)["spec"]["template"]["spec"]["containers"][0]["image"] == image


def test_other_components_keep_their_image_when_one_has_its_own() -> None:
    assert container(minimal({"api": {"image": {"tag": "9"}}}), "router")["image"] == "swaprail/router:0.1.0"


def test_pull_policy_is_the_components_when_both_are_given() -> None:
    objects = minimal({"image": {"pullPolicy": "Always"}, "router": {"image": {"pullPolicy": "Never"}}})
    assert container(objects, "api")["imagePullPolicy"] == "Always"
    assert container(objects, "router")["imagePullPolicy"] == "Never"


def test_every_pod_may_pull_when_pull_secrets_are_named() -> None:
    objects = minimal({"global": {"imagePullSecrets": ["all"]}, "image": {"pullSecrets": ["mine", "all"]}})
    expected = [{"name": "all"}, {"name": "mine"}]
    assert [pod(objects, component)["imagePullSecrets"] for component in COMPONENTS] == [expected] * 4
    assert migration(objects)["spec"]["template"]["spec"]["imagePullSecrets"] == expected
