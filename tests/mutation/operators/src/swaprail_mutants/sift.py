"""A filter of cosmic-ray: marks as skipped, with the reason, what the rules leave out of a session."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Collection
from functools import cache
from pathlib import Path

from cosmic_ray.tools.filters.filter_app import FilterApp
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import TestOutcome, WorkerOutcome, WorkResult

from swaprail_mutants.rules import Rules

_TRIED = frozenset({TestOutcome.KILLED, TestOutcome.SURVIVED})


class Sift(FilterApp):  # type: ignore[misc]  # not installed where types are checked
    """Applies the rules."""

    def description(self) -> str | None:
        """Return what `--help` says."""
        return __doc__

    def add_args(self, parser: ArgumentParser) -> None:
        """Take an earlier session."""
        parser.add_argument("--known-in", help="an earlier session: what it says is not tried again")
        parser.add_argument("--again", nargs="*", default=(), metavar="JOB", help="what of it is tried again")

    def filter(self, work_db: WorkDB, args: Namespace) -> None:
        """Skip what says nothing; the run is then of what is left."""
        known = _known(args.known_in, args.again) if args.known_in else {}
        for item in work_db.pending_work_items:
            (mutation,) = item.mutations
            why = _rules(mutation.module_path).why_not(mutation.operator_name, mutation.start_pos)
            if why is not None:
                work_db.set_result(item.job_id, WorkResult(output=why, worker_outcome=WorkerOutcome.SKIPPED))
            elif (result := known.get((mutation.operator_name, mutation.occurrence))) is not None:
                work_db.set_result(item.job_id, result)


def _known(session: str, again: Collection[str]) -> dict[tuple[str, int], WorkResult]:
    with use_db(session, WorkDB.Mode.open) as earlier:
        return {
            (item.mutations[0].operator_name, item.mutations[0].occurrence): result
            for item, result in earlier.completed_work_items
            if result.test_outcome in _TRIED and item.job_id not in again and not _unclear(result)
        }


def _unclear(result: WorkResult) -> bool:
    """Tell whether not the mutant may have been the reason: the tests were themselves killed, or could not run."""
    last = (result.output or "").strip().rpartition("\n")[2]
    return result.test_outcome == TestOutcome.KILLED and (not last or '"unclear": true' in last)


@cache
def _rules(module: Path) -> Rules:
    return Rules(module.read_text(encoding="utf-8"))


def main() -> int:
    """Sift the session named on the command line, in the tree that it is of."""
    return int(Sift().main())


if __name__ == "__main__":
    sys.exit(main())
