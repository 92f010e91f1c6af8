"""What is to be mutated, and the tests that must notice it, are there."""

import pytest

from tests.mutation.groups import GROUPS, Module
from tests.mutation.verdict import EXPLAINED, read_explanations
from tests.tree_copy import ROOT

MODULES = [module for modules in GROUPS.values() for module in modules]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.path)
def test_a_module_and_its_tests_exist_when_they_are_named(module: Module) -> None:
    named = [argument for stage in module.stages if not stage.simulated for argument in stage.arguments]
    files = [module.path, *(argument.partition("::")[0] for argument in named if not argument.startswith("-"))]
    assert [name for name in files if not (ROOT / name).exists()] == []


def test_every_explanation_has_a_reason_and_its_line_when_it_is_kept() -> None:
    for (path, place, *_), why in read_explanations(EXPLAINED.read_text(encoding="utf-8")).items():
        assert path in {module.path for module in MODULES}, place
        assert why, place
