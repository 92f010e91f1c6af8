"""`make planted`: every planted bug must be caught."""

import argparse
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import NamedTuple

from tests.evidence import record
from tests.planted.plan import PLAN, Bug
from tests.planted.tree import SEEDS, Ran, Tree, copy_of_tree


class Verdict(NamedTuple):
    """Whether a bug was caught, and what there is to say."""

    bug: Bug
    caught: bool
    why: str


def main() -> int:
    """Run all, or those named; return the exit code."""
    options = _options()
    bugs = [bug for bug in PLAN if not options.only or bug.name.startswith(tuple(options.only))]
    if not _healthy(bugs):
        return 1
    verdicts = _try_all(bugs, options.workers)
    caught = sum(verdict.caught for verdict in verdicts)
    print(f"{caught} of {len(bugs)} planted bugs caught")
    if options.record and caught == len(PLAN):
        _record(verdicts)
    return 0 if caught == len(bugs) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="planted")
    parser.add_argument("--only", nargs="*", help="names, or how they begin")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--record", action="store_true", help="keep the result in docs/evidence")
    return parser.parse_args()


def _healthy(bugs: list[Bug]) -> bool:
    """Without a bug every test must pass: one that fails anyhow catches nothing."""
    tests = _tests_of(bugs)
    with copy_of_tree(tests) as tree:
        ran = tree.run(tests)
    if ran.code == 0 and _all_ran(ran, tests, "PASSED"):
        print(f"{len(ran.outcomes)} tests pass without a bug", flush=True)
        return True
    print(f"without a bug the tests do not pass:\n{ran.text[-4000:]}")
    return False


def _tests_of(bugs: list[Bug]) -> list[str]:
    return sorted({test for bug in bugs for test in bug.caught_by})


def _try_all(bugs: list[Bug], workers: int) -> list[Verdict]:
    """Plant them in so many copies of the tree; return the verdicts in the order of the bugs."""
    waiting: SimpleQueue[Bug] = SimpleQueue()
    for bug in bugs:
        waiting.put(bug)
    with ThreadPoolExecutor(workers) as pool:
        tried = [pool.submit(_try_waiting, waiting, _tests_of(bugs)) for _ in range(workers)]
        verdicts = {verdict.bug: verdict for one in tried for verdict in one.result()}
    return [verdicts[bug] for bug in bugs]


def _try_waiting(waiting: "SimpleQueue[Bug]", tests: list[str]) -> list[Verdict]:
    """Plant one after the other in one copy of the tree, until none waits."""
    verdicts = []
    with copy_of_tree(tests) as tree, suppress(Empty):
        while True:
            verdict = _try(tree, waiting.get_nowait())
            print(f"{'caught' if verdict.caught else 'MISSED'} {verdict.bug.name}: {verdict.why}", flush=True)
            verdicts.append(verdict)
    return verdicts


def _try(tree: Tree, bug: Bug) -> Verdict:
    run = tree.run_afresh if bug.in_migrations else tree.run
    with tree.planted(bug.patch):
        verdict = _judge(bug, run(bug.caught_by))
        return _simulate(tree, verdict) if verdict.caught and bug.simulated else verdict


def _simulate(tree: Tree, verdict: Verdict) -> Verdict:
    said = tree.simulate()
    if re.search(rf"^ +{verdict.bug.simulated} ", said, re.MULTILINE) is None:
        return Verdict(verdict.bug, caught=False, why=f"the simulation says\n{said[-2000:]}")
    broke = next(line.split()[0] for line in said.splitlines() if line.endswith("seeds broke an invariant"))
    return verdict._replace(why=f"{verdict.why}; {broke} of {SEEDS} simulated seeds ({verdict.bug.simulated})")


def _judge(bug: Bug, ran: Ran) -> Verdict:
    failed = [test for test, outcome in ran.outcomes.items() if outcome == "FAILED"]
    # 1: tests ran, and some failed. Anything else, such as an error of collection, is no catch.
    if ran.code != 1 or not all(any(test.startswith(name) for test in failed) for name in bug.caught_by):
        return Verdict(bug, caught=False, why=f"pytest ended with {ran.code}\n{ran.text[-3000:]}")
    names = {test.partition("::")[2].partition("[")[0] or test for test in failed}
    return Verdict(bug, caught=True, why=", ".join(sorted(names)))


def _all_ran(ran: Ran, tests: list[str], outcome: str) -> bool:
    return all(any(t.startswith(name) and o == outcome for t, o in ran.outcomes.items()) for name in tests)


def _record(verdicts: list[Verdict]) -> None:
    rows = [
        {"bug": v.bug.name.partition("_")[2].replace("_", " "), "what it would cost": v.bug.harm, "caught by": v.why}
        for v in verdicts
    ]
    record(
        "planted",
        title="Planted bugs",
        command="make planted",
        figures={"planted": len(verdicts), "caught": sum(v.caught for v in verdicts)},
        tables={"Each of them": rows},
    )


if __name__ == "__main__":
    sys.exit(main())
