"""Objects of one's own."""

import pytest
from deploy.helm.tests.rendering import ci_values, merged, render

BASE = ci_values("minimal")
AS_YAML = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "{{ .Release.Name }}-own"}}
AS_TEXT = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-own\n"


@pytest.mark.parametrize("extra", [AS_YAML, AS_TEXT])
def test_object_is_rendered_when_given(extra: object) -> None:
    assert render(merged(BASE, {"extraObjects": [extra]})).one("ConfigMap", "swaprail-own")


def test_all_objects_are_rendered_when_several_are_given() -> None:
    second = {**AS_YAML, "metadata": {"name": "second"}}
    objects = render(merged(BASE, {"extraObjects": [AS_YAML, second]}))
    assert objects.one("ConfigMap", "swaprail-own")
    assert objects.one("ConfigMap", "second")
