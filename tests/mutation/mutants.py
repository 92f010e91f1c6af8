"""The mutants of a session, as `cosmic-ray dump` tells of them."""

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

from tests.mutation.noticed import Noticed, of_line
from tests.mutation.places import Places


class Mutant(NamedTuple):
    """A change of the source, what was written and what it became, and who noticed; nobody: it survived.

    job: its number in its session.
    """

    module: str
    place: str
    operator: str
    was: str
    becomes: str
    noticed: Noticed | None
    job: str = ""


class Dump(NamedTuple):
    """The mutants that ran, how many still have to, and how many were left out, by reason."""

    mutants: list[Mutant]
    pending: int
    left_out: Counter[str]


def read_dump(lines: Iterable[str], source: str) -> Dump:
    """Read the dump of one module's session; source is the module as it is without a mutant."""
    places, dump = Places(source), Dump([], 0, Counter())
    for line in lines:
        item, result = json.loads(line)
        if result is None:
            dump = dump._replace(pending=dump.pending + 1)
        elif result["worker_outcome"] == "skipped":
            dump.left_out[result["output"]] += 1
        else:
            dump.mutants.append(_mutant(item, result, places))
    return dump


def _mutant(item: Any, result: Any, places: Places) -> Mutant:
    mutation = item["mutations"][0]
    if result["worker_outcome"] != "normal" or result["test_outcome"] not in {"survived", "killed"}:
        raise ValueError(f"{mutation['operator_name']} in {mutation['module_path']}: {result['output']}")
    was, becomes = _change(result["diff"])
    killed = result["test_outcome"] == "killed"
    return Mutant(
        mutation["module_path"],
        places.of(mutation["start_pos"][0]),
        mutation["operator_name"],
        was,
        becomes,
        of_line(result["output"].splitlines()[-1]) if killed else None,
        item["job_id"],
    )


def _change(diff: str) -> tuple[str, str]:
    """Return the lines that were taken away and those in their place, each on one line."""
    lines = [line for line in diff.splitlines() if not line.startswith(("--- ", "+++ "))]
    was, becomes = (" ".join(line[1:].strip() for line in lines if line.startswith(sign)) for sign in "-+")
    return was, becomes
