"""What is done once, before the mutants: the tests pass without one, and start quickly."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.forks.client import forks
from tests.mutation.groups import Module, Stage
from tests.mutation.kill import run_stage
from tests.tree_copy import compile_copy, copied_tree, environment_of


def healthy(modules: Sequence[Module]) -> bool:
    """Tell whether all tests pass without a mutant: one that fails anyhow notices nothing."""
    seen: set[Stage] = set()
    with copied_tree() as copy:
        compile_copy(copy)
        failing = [stage for module in modules for stage in _failing(module, copy, seen)]
    print(f"{len(seen) - len(failing)} of {len(seen)} runs of tests pass without a mutant", flush=True)
    return not failing


def _failing(module: Module, copy: Path, seen: set[Stage]) -> list[Stage]:
    """Return the stages of the module that fail, leaving out those that were seen before."""
    stages = [stage for stage in module.stages if stage not in seen]
    seen.update(stages)
    with forks(module.tests, copy, environment_of(copy)) as environment:
        return [stage for stage in stages if _fails(stage, copy, environment)]


def _fails(stage: Stage, copy: Path, environment: Mapping[str, str]) -> bool:
    noticed = run_stage(stage, copy, environment)
    if noticed is not None:
        print(f"{' '.join(stage.arguments)} fails without a mutant, by {', '.join(noticed.by)}\n{noticed.said}")
    return noticed is not None
