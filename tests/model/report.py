"""What the model printed."""

import re
from collections.abc import Iterable
from typing import NamedTuple

_SCOPE = re.compile(
    r"(?P<name>\S+): (?P<states>\d+) states, (?P<steps>\d+) steps, depth (?P<depth>\d+), (?P<s>[\d.]+) s"
)
_PROPERTY = re.compile(r"  (?P<kind>Always|Sometimes) (?P<name>.+): (?P<held>yes|NO)")
_BREAKS = re.compile(r"(?P<name>\S+) breaks '(?P<what>.+)':")
_STEP = re.compile(r" +\d+\. (?P<text>.+)")


class Explored(NamedTuple):
    """A scope of which every state was visited."""

    scope: str
    states: int
    steps: int
    depth: int
    seconds: float


class Broken(NamedTuple):
    """An old rule that was put back, what it breaks, and the shortest way there."""

    rule: str
    what: str
    way: list[str]


class Report(NamedTuple):
    """All of a run; properties: by name, whether it must always hold."""

    explored: list[Explored]
    properties: dict[str, bool]
    broken: list[Broken]


def read(lines: Iterable[str]) -> Report:
    """Return what the lines say; ValueError where they say something else, or that a property does not hold."""
    report = Report([], {}, [])
    for line in lines:
        if found := _SCOPE.fullmatch(line):
            states, steps, depth = (int(found[name]) for name in ("states", "steps", "depth"))
            report.explored.append(Explored(found["name"], states, steps, depth, float(found["s"])))
        elif (found := _PROPERTY.fullmatch(line)) and found["held"] == "yes":
            report.properties[found["name"]] = found["kind"] == "Always"
        elif found := _BREAKS.fullmatch(line):
            report.broken.append(Broken(found["name"], found["what"], []))
        elif report.broken and (found := _STEP.fullmatch(line)):
            report.broken[-1].way.append(found["text"])
        else:
            raise ValueError(f"not expected of the model: {line}")
    return report
