"""`make mutation`: mutate the core in one place at a time, and count what the tests notice."""

import argparse
import compileall
import sys
import sysconfig
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue

from tests.mutation.groups import GROUPS, Module
from tests.mutation.report import keep, show
from tests.mutation.session import Session, fingerprint_of_tree
from tests.mutation.verdict import EXPLAINED, Verdict, judge, read_explanations
from tests.mutation.warm import healthy
from tests.tree_copy import compile_copy, copied_tree


def main() -> int:
    """Run the groups, or the one that is named; return the exit code."""
    options = _options()
    groups = {name: _modules(name, options.module) for name in ([options.only] if options.only else GROUPS)}
    # Every mutant starts Python anew: what is installed is compiled once, before.
    compileall.compile_dir(sysconfig.get_path("purelib"), quiet=2, workers=options.workers)
    if not options.unchecked and not healthy([module for modules in groups.values() for module in modules]):
        return 1
    return max(_run(name, modules, options) for name, modules in groups.items() if modules)


def _modules(group: str, name: str | None) -> list[Module]:
    return [module for module in GROUPS[group] if name is None or module.path.endswith(f"/{name}.py")]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="mutation", description=__doc__)
    parser.add_argument("--only", choices=list(GROUPS), help="one group")
    parser.add_argument("--module", help="one module of it, to work on its tests")
    parser.add_argument("--workers", type=int, default=2, help="copies of the tree, each with one mutant at a time")
    parser.add_argument("--record", action="store_true", help="keep the figures of a whole run in docs/evidence")
    parser.add_argument(
        "--carry", action="store_true", help="do not try again what was killed, or is explained, in an earlier tree"
    )
    parser.add_argument("--unchecked", action="store_true", help="do not run the tests without a mutant first")
    return parser.parse_args()


def _run(name: str, modules: Sequence[Module], options: argparse.Namespace) -> int:
    tree = fingerprint_of_tree()
    sessions = [Session(module) for module in modules]
    for session in sessions:
        session.prepare(tree, carry=options.carry)
    _execute(sessions, options.workers)
    verdict, left_out = _verdict(sessions)
    carried = sum(session.carried for session in sessions)
    show(name, verdict, left_out, carried)
    if options.record and verdict.passes and not options.module and not options.unchecked:
        keep(name, verdict, left_out, carried)
    return 0 if verdict.passes else 1


def _execute(sessions: Sequence[Session], workers: int) -> None:
    """Try all mutants: each worker takes the module with the most left, in a copy of its own."""
    waiting: SimpleQueue[Session] = SimpleQueue()
    for session in sorted(sessions, key=lambda session: -session.dump().pending):
        waiting.put(session)
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(_work, [waiting] * workers))


def _work(waiting: SimpleQueue[Session]) -> None:
    with copied_tree() as copy:
        compile_copy(copy)
        while True:
            try:
                session = waiting.get_nowait()
            except Empty:
                return
            print(f"{session.module.path}: {session.dump().pending} mutants to try", flush=True)
            session.run(copy)


def _verdict(sessions: Sequence[Session]) -> tuple[Verdict, Counter[str]]:
    dumps = [session.dump() for session in sessions]
    assert not any(dump.pending for dump in dumps), "some mutants were not tried"
    explained = read_explanations(EXPLAINED.read_text(encoding="utf-8"))
    mutants = [mutant for dump in dumps for mutant in dump.mutants]
    verdict = judge(mutants, explained, [session.module.path for session in sessions])
    return verdict, sum((dump.left_out for dump in dumps), Counter())


if __name__ == "__main__":
    sys.exit(main())
