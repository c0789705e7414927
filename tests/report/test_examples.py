"""The examples in the docstrings of the report run, and show what they say."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import regzoo.report

MODULES = [info.name for info in pkgutil.walk_packages(regzoo.report.__path__, "regzoo.report.")]


@pytest.mark.parametrize("module", MODULES)
def test_examples(module: str) -> None:
    assert doctest.testmod(importlib.import_module(module)).failed == 0
