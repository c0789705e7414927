"""The mutation script: what it changes, that its lists are up to date, and a drawn sample of mutants that die."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mutation.choose_tests import list_own, list_stages, read_text, split_names
from tests.mutation.mutants import ROOT, list_modules, list_mutants
from tests.mutation.named import NAMED, list_named
from tests.mutation.server import Replaced
from tests.mutation.trial import EQUIVALENT, read_equivalents

SOURCE = '''\
"""A module."""

def drop(self, h, seed, training=False):
    """Drop; -1 is no number of the code."""
    scale = 1.0 - self.rate
    if training:
        h = h / scale
    mask = uniform(h, seed=seed) >= 0.5
    return where(mask, h, mean(h, axis=1)), f"{scale + 1}"
'''

CHANGES = {
    ("sign", "scale = 1.0 - self.rate", "scale = ((1.0) + (self.rate))"),
    ("scale", "scale = 1.0 - self.rate", "scale = 1.0"),
    ("order", "scale = 1.0 - self.rate", "scale = ((self.rate) - (1.0))"),
    ("factor", "scale = 1.0 - self.rate", "scale = 1.0 - (self.rate * 2)"),
    ("constant", "scale = 1.0 - self.rate", "scale = 2.0 - self.rate"),
    ("dropped", "if training:", "if False:"),
    ("comparison", "if training:", "if (not training):"),
    ("dropped", "h = h / scale", "pass"),
    ("seed", "mask = uniform(h, seed=seed) >= 0.5", "mask = uniform(h, seed=0) >= 0.5"),
    ("comparison", "mask = uniform(h, seed=seed) >= 0.5", "mask = (uniform(h, seed=seed) > 0.5)"),
    ("comparison", "mask = uniform(h, seed=seed) >= 0.5", "mask = (uniform(h, seed=seed) < 0.5)"),
    ("function", "mask = uniform(h, seed=seed) >= 0.5", "mask = normal(h, seed=seed) >= 0.5"),
}
"""Among others: kind, line, and line in the mutant."""


def test_each_kind_of_change_is_made_and_texts_are_left_alone() -> None:
    mutants = list_mutants("regzoo.regularizers.some", SOURCE, every=True)
    assert CHANGES - {(mutant.kind, mutant.before, mutant.after) for mutant in mutants} == set()
    last = [mutant.after for mutant in mutants if mutant.before.startswith("return")]
    for text in (
        'return where(mask, mean(h, axis=1), h), f"{scale + 1}"',
        'return where(mask, h, mean(h, axis=0)), f"{scale + 1}"',
        'return h, f"{scale + 1}"',
    ):
        assert text in last
    for mutant in mutants:
        assert ast.get_docstring(ast.parse(mutant.source)) == "A module."
        assert len(mutant.source.splitlines()) == len(SOURCE.splitlines())
        assert '"""Drop; -1 is no number of the code."""' in mutant.source


def test_slots_are_left_out_and_moved() -> None:
    source = 'x = Add()([x, slot("branch", h)])\nh = slot("activation", Act()(h))\n'
    found = {mutant.after for mutant in list_mutants("regzoo.backbones.some", source, every=True)}
    assert found >= {
        "x = Add()([x, h])",
        "x = slot('branch', Add()([x, h]))",
        "h = Act()(h)",
        "h = Act()(slot('activation', h))",
    }


def test_mutants_differ_in_their_bytecode_and_one_of_a_kind_is_taken_on_each_line() -> None:
    path = list_modules()["regzoo.regularizers.mixup"]
    every, some = (list_mutants("regzoo.regularizers.mixup", read_text(path), every=each) for each in (True, False))
    assert len({mutant.source for mutant in every}) == len(every) > len(some) > 10
    assert {mutant.name for mutant in some} <= {mutant.name for mutant in every}
    places = [(mutant.line, mutant.kind) for mutant in some]
    assert len(set(places)) == len(places)


def test_every_module_has_tests_of_its_own_first() -> None:
    assert [module for module in list_modules() if not list_own(module)] == []
    for module in ("regzoo.regularizers._augment", "regzoo.regularizers.sam", "regzoo.backbones.cnn"):
        assert all((ROOT / file).exists() for stage in list_stages(module) for file in split_names(stage)[0])
    assert list_stages("regzoo.regularizers.l2")[0][0] == "tests/regularizers/test_weight_penalties.py"
    assert split_names(["tests/testing/test_contract.py?l2", "tests/test_identities.py"]) == (
        ["tests/testing/test_contract.py", "tests/test_identities.py"],
        {"tests/testing/test_contract.py": "l2"},
    )


def test_a_named_fault_is_in_the_sources() -> None:
    assert [mutant.kind for mutant in list_named()] == list(NAMED)
    for mutant in list_named():
        compile(mutant.source, mutant.module, "exec")


@pytest.mark.slow
def test_each_equivalent_mutant_is_still_a_mutant_and_has_a_reason() -> None:
    known = read_equivalents()
    modules = {name.rpartition("-")[0] for name in known}
    chosen = {module: path for module, path in list_modules().items() if module.rpartition(".")[2] in modules}
    names = {m.name for module, path in chosen.items() for m in list_mutants(module, read_text(path), every=True)}
    assert sorted(set(known) - names) == [], EQUIVALENT
    assert all(len(reason) > 10 for reason in known.values())


def test_the_mutant_is_imported_instead_of_the_module(tmp_path: Path) -> None:
    file = tmp_path / "other.py"
    file.write_text("ANSWER = 42\n", encoding="utf-8")
    finder = Replaced("json.tool", file)
    spec = finder.find_spec("json.tool", None)
    assert spec is not None
    assert spec.origin == str(file)
    assert finder.find_spec("json.decoder", None) is None


@pytest.mark.slow
def test_of_a_dozen_mutants_of_four_modules_11_die(tmp_path: Path) -> None:
    """``python -m tests.mutation`` tries all of them."""
    modules = [f"--module={name}" for name in ("group_lasso", "label_noise", "mixup", "random_zoom")]
    options = ["--stages", "2", "--sample", "12", "--seed", "14", "--json", str(tmp_path / "found.json")]
    command = [sys.executable, "-m", "tests.mutation", *modules, *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    found = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
    assert found["mutants"] == 12, done.stderr
    assert found["killed"] >= 11, done.stdout
