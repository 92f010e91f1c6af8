"""`make model`: build the model, explore it, put the old rules back, and keep the result if asked to. Needs cargo."""

import argparse
import subprocess
import sys
from collections.abc import Iterator

from tests.evidence import Figure, record
from tests.evidence.records import ROOT
from tests.model.report import Report, read


def main() -> int:
    """Return the exit code."""
    parser = argparse.ArgumentParser(prog="model")
    parser.add_argument("--record", action="store_true", help="keep the result in docs/evidence")
    options = parser.parse_args()
    report = read(_lines())
    print(
        f"{len(report.explored)} scopes explored, {len(report.broken)} ways found to break what the old rules promised"
    )
    if options.record:
        _record(report)
    return 0


def _lines() -> Iterator[str]:
    """Yield what the model prints, and print it; CalledProcessError when it found something wrong."""
    command = [
        "cargo",
        "run",
        "--quiet",
        "--release",
        "--manifest-path",
        str(ROOT / "model" / "Cargo.toml"),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as model:
        assert model.stdout is not None
        for line in model.stdout:
            print(line, end="", flush=True)
            yield line.rstrip("\n")
    if model.returncode:
        raise subprocess.CalledProcessError(model.returncode, command)


def _record(report: Report) -> None:
    scopes: list[dict[str, Figure]] = [
        {"scope": s.scope, "states": s.states, "steps": s.steps, "longest way": s.depth, "seconds": s.seconds}
        for s in report.explored
    ]
    ways: list[dict[str, Figure]] = [
        {"old rule": b.rule, "breaks": b.what, "shortest way": "; ".join(b.way)} for b in report.broken
    ]
    record(
        "model",
        title="Model of the once-only protocol",
        command="make model RECORD=1",
        figures={
            "states": sum(s.states for s in report.explored),
            "steps": sum(s.steps for s in report.explored),
            "must always hold, and does": sum(report.properties.values()),
            "must be possible, and is": sum(not always for always in report.properties.values()),
            "old rules put back": len({b.rule for b in report.broken}),
            "of which break something": len({b.rule for b in report.broken if b.way}),
        },
        tables={"Each scope": scopes, "Each old rule": ways},
    )


if __name__ == "__main__":
    sys.exit(main())
