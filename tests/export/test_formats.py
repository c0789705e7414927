"""Formats: found by name; a model that cannot be written in one is rejected with a way out."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from regzoo.core import InputError, parse
from regzoo.data.preprocessor import Preprocessor
from regzoo.export.candidate import load_preprocessor
from regzoo.export.exported_model import read_exported_model
from regzoo.export.formats import FORMATS, LITERT, ONNX, SAVED_MODEL, Format, check_convertible, find_format
from regzoo.result import Result
from regzoo.storage.ledger import Ledger


def load(finished: Any) -> Preprocessor:
    with Ledger(finished.folder) as ledger:
        return load_preprocessor(ledger)


def test_an_unknown_format_is_refused(finished: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"takes one of saved_model, onnx, litert, received onx\. Did you mean 'onnx'"):
        Result(finished.folder).export(tmp_path / "model", format="onx")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("format", [ONNX, LITERT], ids=lambda format: format.name)
def test_a_missing_extra_is_named(format: Format, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda module: None)
    with pytest.raises(
        InputError, match=rf"{format.name} needs .*{format.modules[-1]}: pip install 'regzoo\[{format.name}\]'"
    ):
        find_format(format.name)
    assert find_format("saved_model") is SAVED_MODEL


def test_text_columns_are_rejected(mixed: Any) -> None:
    preprocessor = load(mixed)
    with pytest.raises(InputError, match=r"town \(categorical\), member \(boolean\), first seen \(date\)") as error:
        check_convertible(ONNX, preprocessor, parse("none"))
    assert "age" not in str(error.value)
    assert "Export a saved_model" in str(error.value)
    check_convertible(SAVED_MODEL, preprocessor, parse("none"))


def test_random_passes_are_rejected(finished: Any) -> None:
    recipe = parse("dropout(0.5) + mc_dropout(10)")
    for format in FORMATS.values():
        if format is SAVED_MODEL:
            check_convertible(format, load(finished), recipe)
        else:
            with pytest.raises(InputError, match="mc_dropout draws its passes with TensorFlow's random numbers"):
                check_convertible(format, load(finished), recipe)
            check_convertible(format, load(finished), parse("dropout(0.5)"))


@pytest.mark.slow
@pytest.mark.parametrize("format", [ONNX, LITERT], ids=lambda format: format.name)
def test_an_export_in_another_format_serves_by_its_card(
    format: Format, finished: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is verified, and the code of its card predicts labels as the user wrote them."""
    Result(finished.folder).export(tmp_path / "model", "l2(0.001)", format.name)
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == sorted(
        ["README.md", format.file, "recipe.json"]
    )
    recipe = json.loads((tmp_path / "model" / "recipe.json").read_text(encoding="utf-8"))
    assert (recipe["format"], recipe["file"], list(recipe["runtime"])) == (format.name, format.file, [format.runtime])
    assert recipe["parity"]["largest_difference"] < 1e-5
    text = (tmp_path / "model" / "README.md").read_text(encoding="utf-8")
    assert f"Reloaded with {format.runtime} {recipe['runtime'][format.runtime]}" in text
    monkeypatch.chdir(tmp_path)
    space: dict[str, Any] = {"table": finished.table}
    exec(text.split("```python\n")[1].split("```")[0], space)
    labels = np.asarray(space["labels"] if format.numeric_labels else space["answers"]["label"])
    correct = labels == finished.table["kind"].to_numpy()
    parts = {"train": 60, "validation": 20, "test": 20}
    assert correct.sum() == pytest.approx(sum(recipe["metrics"][p]["accuracy"] * n for p, n in parts.items()), abs=1e-4)
    with pytest.raises(InputError, match=f"in the format {format.name}; predict takes a saved_model"):
        read_exported_model(tmp_path / "model")
