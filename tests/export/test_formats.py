"""Formats: known by name; what cannot be written in one is refused with the way out."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from regzoo.core import InputError, parse
from regzoo.data.preprocessor import Preprocessor
from regzoo.export.formats import FORMATS, LITERT, ONNX, SAVED_MODEL, Format, check_convertible, find_format
from regzoo.export.input_rows import read_exported_model
from regzoo.result import Result
from regzoo.storage.ledger import Ledger


def preparation_of(finished: Any) -> Preprocessor:
    with Ledger(finished.folder) as ledger:
        return Preprocessor.from_json(ledger.get_info("preparation"))


def test_an_unknown_format_is_refused(finished: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"takes one of saved_model, onnx, litert, received onx\. Did you mean 'onnx'"):
        Result(finished.folder).export(tmp_path / "model", format="onx")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", [ONNX, LITERT], ids=lambda form: form.name)
def test_an_extra_that_is_missing_is_named(form: Format, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda module: None)
    with pytest.raises(
        InputError, match=rf"{form.name} needs .*{form.modules[-1]}: pip install 'regzoo\[{form.name}\]'"
    ):
        find_format(form.name)
    assert find_format("saved_model") is SAVED_MODEL


def test_columns_of_text_stand_in_the_way(mixed: Any) -> None:
    preprocessor = preparation_of(mixed)
    with pytest.raises(InputError, match=r"town \(categorical\), member \(boolean\), first seen \(date\)") as error:
        check_convertible(ONNX, preprocessor, parse("none"))
    assert "age" not in str(error.value)
    assert "Export a saved_model" in str(error.value)
    check_convertible(SAVED_MODEL, preprocessor, parse("none"))


def test_random_passes_stand_in_the_way(finished: Any) -> None:
    recipe = parse("dropout(0.5) + mc_dropout(10)")
    for form in FORMATS.values():
        if form is SAVED_MODEL:
            check_convertible(form, preparation_of(finished), recipe)
        else:
            with pytest.raises(InputError, match="mc_dropout draws its passes with TensorFlow's random numbers"):
                check_convertible(form, preparation_of(finished), recipe)
            check_convertible(form, preparation_of(finished), parse("dropout(0.5)"))


@pytest.mark.slow
@pytest.mark.parametrize("form", [ONNX, LITERT], ids=lambda form: form.name)
def test_a_folder_in_a_format_serves_by_its_card(
    form: Format, finished: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exported with its proof, and answered by the code of the card: labels as the user wrote them."""
    Result(finished.folder).export(tmp_path / "model", "l2(0.001)", form.name)
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == sorted(
        ["README.md", form.file, "recipe.json"]
    )
    said = json.loads((tmp_path / "model" / "recipe.json").read_text(encoding="utf-8"))
    assert (said["format"], said["file"], list(said["runtime"])) == (form.name, form.file, [form.runtime])
    assert said["parity"]["largest_difference"] < 1e-5
    text = (tmp_path / "model" / "README.md").read_text(encoding="utf-8")
    assert f"Reloaded with {form.runtime} {said['runtime'][form.runtime]}" in text
    monkeypatch.chdir(tmp_path)
    space: dict[str, Any] = {"table": finished.table}
    exec(text.split("```python\n")[1].split("```")[0], space)
    labels = np.asarray(space["labels"] if form.numbered else space["answers"]["label"])
    right = labels == finished.table["kind"].to_numpy()
    parts = {"train": 60, "validation": 20, "test": 20}
    assert right.sum() == pytest.approx(sum(said["metrics"][p]["accuracy"] * n for p, n in parts.items()), abs=1e-4)
    with pytest.raises(InputError, match=f"in the format {form.name}; predict takes a saved_model"):
        read_exported_model(tmp_path / "model")
