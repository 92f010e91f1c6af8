"""The chart as Helm renders it."""

import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).parents[1] / "swaprail"
RELEASE, NAMESPACE = "swaprail", "trading"

type Object = dict[str, Any]
type Values = Mapping[str, Any]


class RefusedError(Exception):
    """Helm refused the values; the message is what the person at the keyboard reads."""


class Rendered(list[Object]):
    """The objects of a release."""

    def of(self, kind: str) -> list[Object]:
        return [found for found in self if found["kind"] == kind]

    def one(self, kind: str, name: str) -> Object:
        names = {found["metadata"]["name"]: found for found in self.of(kind)}
        assert name in names, f"no {kind} {name}, only {sorted(names)}"
        return names[name]


def merged(*layers: Values) -> dict[str, Any]:
    """Return the layers over each other, the last one on top."""
    result: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            below = result.get(key)
            both = isinstance(below, Mapping) and isinstance(value, Mapping)
            result[key] = merged(below, value) if both else value  # type: ignore[arg-type]
    return result


def ci_values(name: str) -> dict[str, Any]:
    """Return the values of ci/<name>-values.yaml."""
    values = yaml.safe_load((CHART / "ci" / f"{name}-values.yaml").read_text())
    assert isinstance(values, dict)
    return values


def helm(*arguments: str) -> str:
    """Run helm, and return what it printed."""
    answer = subprocess.run(["helm", *arguments], capture_output=True, text=True, timeout=60, check=False)
    if answer.returncode:
        raise RefusedError(answer.stderr)
    return answer.stdout


def template(values: Values, *options: str, release: str = RELEASE, kinds: Iterable[str] = ()) -> str:
    """Return the text that helm renders; kinds are custom resources that the cluster is said to have."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(dict(values), file)
        known = [f"--api-versions={kind}" for kind in kinds]
        return helm(
            "template", release, str(CHART), f"--namespace={NAMESPACE}", f"--values={file.name}", *known, *options
        )


def render(values: Values, *options: str, release: str = RELEASE, kinds: Iterable[str] = ()) -> Rendered:
    """Return the objects that helm renders."""
    return parsed(template(values, *options, release=release, kinds=kinds))


def parsed(text: str) -> Rendered:
    """Return the objects of what helm rendered."""
    return Rendered(found for found in yaml.load_all(text, Loader=yaml.CSafeLoader) if found)
