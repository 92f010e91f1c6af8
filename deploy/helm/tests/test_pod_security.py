"""The restricted Pod Security Standard, for every pod of every way to run the chart."""

from collections.abc import Iterator

import pytest
from deploy.helm.tests.rendering import CHART, Object, Rendered, ci_values, render

CI = sorted(path.name.removesuffix("-values.yaml") for path in CHART.glob("ci/*-values.yaml"))
RESTRICTED_VOLUMES = {"configMap", "secret", "emptyDir", "projected", "downwardAPI", "persistentVolumeClaim"}


def pods(objects: Rendered) -> Iterator[tuple[str, Object]]:
    for found in objects:
        name = f"{found['kind']} {found['metadata']['name']}"
        if found["kind"] == "Pod":
            yield name, found["spec"]
        elif found["kind"] in {"Deployment", "StatefulSet", "Job"}:
            yield name, found["spec"]["template"]["spec"]


@pytest.mark.parametrize("ci", CI)
def test_pods_are_restricted_whatever_the_values(ci: str) -> None:
    found = list(pods(render(ci_values(ci))))
    assert len(found) >= 4
    for name, pod in found:
        security = pod["securityContext"]
        assert security["runAsNonRoot"] is True, name
        assert security["runAsUser"] > 0, name
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert pod["automountServiceAccountToken"] is False, name
        for volume in pod["volumes"]:
            assert set(volume) - {"name"} <= RESTRICTED_VOLUMES, name
        for container in [*pod["containers"], *pod.get("initContainers", [])]:
            assert container["securityContext"]["allowPrivilegeEscalation"] is False, name
            assert container["securityContext"]["readOnlyRootFilesystem"] is True, name
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}, name
            assert "memory" in container["resources"]["limits"], name
