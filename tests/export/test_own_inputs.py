"""Input rows of an own model for `predict`: read by name from CSV files and archives, in chunks; no model is run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from regzoo.core import InputError, Recipe
from regzoo.data.input_rules import InputRule
from regzoo.data.inputs import InputSpec, NamedInputs
from regzoo.data.preprocessor import Preprocessor
from regzoo.export import snippets
from regzoo.export.exported_model import ExportedModel, _from_json
from regzoo.export.formats import LITERT, ONNX, SAVED_MODEL, check_convertible
from regzoo.export.input_rows import read_chunks
from regzoo.export.manifest import Manifest
from regzoo.export.signature import make_input_specs, name_inputs, split_inputs

SPECS = (
    InputSpec("my age", (), "float32"),
    InputSpec("tokens", (None,), "int32"),
    InputSpec("pixels", (2, 2), "uint8"),
    InputSpec("word", (1,), "string"),
)


def make_preprocessor(specs: Sequence[InputSpec]) -> Preprocessor:
    rules = tuple(InputRule(spec) for spec in specs)
    return Preprocessor("inputs", (), None, (), (), "classification", ("no", "yes"), 0.0, 1.0, inputs=rules)


def make_exported(specs: Sequence[InputSpec]) -> ExportedModel:
    """Return the model as its ``recipe.json`` describes it."""
    preprocessor = make_preprocessor(specs)
    served = make_input_specs(preprocessor)
    values: dict[str, Any] = {
        "inputs": name_inputs(preprocessor),
        "dtypes": {name: spec.dtype.name for name, spec in served.items()},
        "shapes": {name: list(spec.shape)[1:] for name, spec in served.items()},
        "rules": [],
        "labels": ["no", "yes"],
        "own_inputs": True,
    }
    return _from_json(Path("model"), values, Manifest(Path("model"), {}, True, True))


def read(model: ExportedModel, path: Path) -> dict[str, np.ndarray]:
    chunks = list(read_chunks(model, path, "utf-8", lambda sentence: None))
    return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}


def test_inputs_are_served_by_name_in_types_that_every_client_has() -> None:
    preprocessor = make_preprocessor(SPECS)
    served = make_input_specs(preprocessor)
    assert {name: (spec.dtype.name, spec.shape.as_list()) for name, spec in served.items()} == {
        "my_age": ("float32", [None]),
        "tokens": ("int32", [None, None]),
        "pixels": ("int32", [None, 2, 2]),
        "word": ("string", [None, 1]),
    }
    raw = NamedInputs(
        {
            "my age": np.ones(2, np.float32),
            "tokens": np.ones((2, 3), np.int32),
            "pixels": np.full((2, 2, 2), 255, np.uint8),
            "word": np.array([["a"], ["b"]], dtype=object),
        }
    )
    split = split_inputs(raw, preprocessor)
    assert list(split) == list(served)
    assert split["pixels"].dtype == np.int32
    assert split["pixels"].max() == 255


def test_the_card_shows_how_to_call_it() -> None:
    preprocessor = make_preprocessor(SPECS)
    call = snippets.make_call(preprocessor, SAVED_MODEL)
    assert "    my_age=tf.constant(x['my age'], tf.float32),\n" in call
    assert "    tokens=tf.constant(x['tokens'], tf.int32),\n" in call
    compile(call, "card", "exec")
    compile(snippets.make_call(preprocessor, ONNX), "card", "exec")
    assert snippets.make_request(preprocessor) == '{"my_age": [...], "tokens": [...], "pixels": [...], "word": [...]}'
    assert snippets.describe_inputs(preprocessor) == [
        "`my_age` (the model's `my age`), float32 (batch,), numbers as in the data",
        "`tokens`, int32 (batch, any), whole numbers as in the data",
        "`pixels`, int32 (batch, 2, 2), whole numbers as in the data",
        "`word`, string (batch, 1), text as in the data",
    ]


def test_a_model_of_text_has_no_form_without_strings() -> None:
    for form in (ONNX, LITERT):
        with pytest.raises(InputError, match=r"these columns are not numbers: word \(text\)"):
            check_convertible(form, make_preprocessor(SPECS), Recipe())
        check_convertible(form, make_preprocessor(SPECS[:3]), Recipe())


def test_an_archive_is_read_by_name_in_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regzoo.export.input_rows.CHUNK", 2)
    path = tmp_path / "x.npz"
    arrays: Any = {
        "word": ["a", "é", ""],
        "tokens": [[1, 2], [3, 4], [5, 6]],
        "my age": [[1.5], [2.5], [3.5]],
        "pixels": np.arange(12).reshape(3, 2, 2),
    }
    np.savez(path, **arrays)
    found = read(make_exported(SPECS), path)
    assert found["my_age"].tolist() == [1.5, 2.5, 3.5]
    assert found["tokens"].dtype == np.int32
    assert found["tokens"].tolist() == arrays["tokens"]
    assert found["pixels"].tolist() == arrays["pixels"].tolist()
    assert found["word"].tolist() == [["a"], ["é"], [""]]
    np.savez(path, x=arrays["tokens"])
    assert read(make_exported(SPECS[1:2]), path)["tokens"].tolist() == arrays["tokens"]


def test_a_csv_file_has_a_column_for_each_input_or_for_each_value_of_the_only_one(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("word,my age,more\n007,1.5,x\nNA,2.5,y\n")
    found = read(make_exported([SPECS[0], SPECS[3]]), path)
    assert found["word"].tolist() == [["007"], ["NA"]]
    assert found["my_age"].tolist() == [1.5, 2.5]
    path.write_text("p,q\n1,2\n3,4\n")
    assert read(make_exported(SPECS[1:2]), path)["tokens"].tolist() == [[1, 2], [3, 4]]


BAD = {
    "lacks a column": (SPECS[:1], "age\n1\n", "the model takes 'my age', which is not there"),
    "not a number": (SPECS[:1], "my age\n1\ntwo\n", "'my age' takes numbers but for 1 cell: 'two' in row 2"),
    "missing": (SPECS[:1], "my age,a\n1,1\n,1\n", "'my age' has 1 missing cells, the first in row 2"),
    "a part of a token": (SPECS[1:2], "p,q\n1,2\n1.5,2\n", "holds 1.5 in row 2, and the model's input 'tokens'"),
    "more than a cell": (SPECS[:2], "my age,tokens\n1,1\n", "no column of a CSV file holds; give an .npz archive"),
    "no rows": (SPECS[:1], "my age\n", "has a header and no rows"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_the_model_does_not_take_is_refused_by_name(case: str, tmp_path: Path) -> None:
    specs, text, message = BAD[case]
    path = tmp_path / "x.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read(make_exported(specs), path)
