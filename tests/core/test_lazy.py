"""Parsing and printing recipes imports no TensorFlow; a lazy module is imported with its first attribute."""

from __future__ import annotations

import subprocess
import sys

import pytest

from regzoo.core.lazy import LazyModule

SCRIPT = """
import sys
import regzoo.core
from regzoo.regularizers import Dropout, L2
from regzoo.backbones import Mlp

recipe = regzoo.core.parse("dropout(0.1..0.5) + l2 + early_stopping(3) + batch_norm(linear(0.9, 0.5, epochs=3))")
assert regzoo.core.parse(str(recipe)) == recipe
str(Dropout(0.5) + L2(1e-4)), str(Mlp((3, 4))), recipe.structure(), recipe.dials(), recipe.clashes()
print(*sorted(name for name in sys.modules if name.split(".")[0] in ("tensorflow", "keras", "keras_tuner")))
"""


def test_recipes_import_no_tensorflow() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_a_lazy_module_gives_what_the_module_has() -> None:
    import math

    assert LazyModule("math").pi is math.pi
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        _ = LazyModule("no_such_module").pi
