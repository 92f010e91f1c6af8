"""Parts of the pods that the chart renders."""

import json
from functools import cache

from deploy.helm.tests.rendering import Object, Rendered, Values, ci_values, merged, parsed, template

COMPONENTS = ("api", "router", "executor", "notifier")
MINIMAL = ci_values("minimal")
# Connections whose parts tests look at.
PARTS: Object = {
    "database": {"host": "pg.example", "existingSecret": "pg", "secretKeys": {"url": "", "password": "password"}},
    "redis": {"host": "redis.example", "existingSecret": "redis", "secretKeys": {"url": "", "password": "password"}},
}


def minimal(*layers: Values) -> Rendered:
    """Render the least that can be installed, with values over it; the same values are rendered once."""
    return parsed(_text(json.dumps(merged(MINIMAL, *layers))))


@cache
def _text(values: str) -> str:
    return template(json.loads(values))


def deployment(objects: Rendered, component: str) -> Object:
    """Return the spec of a component's deployment."""
    spec: Object = objects.one("Deployment", f"swaprail-{component}")["spec"]
    return spec


def pod(objects: Rendered, component: str) -> Object:
    """Return the spec of a component's pods."""
    spec: Object = deployment(objects, component)["template"]["spec"]
    return spec


def container(objects: Rendered, component: str) -> Object:
    """Return a component's own container."""
    (found,) = [item for item in pod(objects, component)["containers"] if item["name"] == component]
    assert isinstance(found, dict)
    return found


def migration(objects: Rendered) -> Object:
    """Return the one Job."""
    (job,) = objects.of("Job")
    return job


def config(objects: Rendered, component: str) -> dict[str, str]:
    """Return the settings in a component's ConfigMap."""
    data: dict[str, str] = objects.one("ConfigMap", f"swaprail-{component}")["data"]
    return data


def secrets(container: Object) -> dict[str, tuple[str, str]]:
    """Return the variables of a container that come out of Secrets: name of the Secret and key."""
    found = [(entry["name"], entry.get("valueFrom", {}).get("secretKeyRef")) for entry in container["env"]]
    return {name: (source["name"], source["key"]) for name, source in found if source}
