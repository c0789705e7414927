"""Inputs for a user's own model, in every form in which they are given; no TensorFlow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from regzoo.core import InputError
from regzoo.data.dataset import Dataset
from regzoo.data.inputs import InputSpec, NamedInputs
from regzoo.data.matching import match_inputs
from regzoo.data.sources import from_arrays, load_bundled, load_csv, load_npz

SPECS = (InputSpec("age", (1,), "float32"), InputSpec("code", (), "int64"), InputSpec("word", (1,), "string"))
TOKENS = (InputSpec("tokens", (None,), "int32"),)
AGES, CODES, WORDS, Y = [[1.5], [2.5], [3.5]], [7, 2**53 + 1, 0], ["007", "b ", "NA"], [0, 1, 1]


def read(x: Any, specs: tuple[InputSpec, ...] = SPECS) -> dict[str, np.ndarray]:
    data, matched = match_inputs(from_arrays(x, Y, inputs=specs), specs)
    assert matched == specs
    assert isinstance(data.x, NamedInputs)
    return dict(data.x.arrays)


FRAME = pd.DataFrame({"word": WORDS, "code": CODES, "age": [1.5, 2.5, 3.5]})
FORMS: dict[str, Any] = {
    "lists": {"age": AGES, "code": CODES, "word": WORDS},
    "arrays": {"word": np.array(WORDS), "age": np.array(AGES), "code": np.array(CODES)},
    "bytes": {"word": np.array([word.encode() for word in WORDS]), "age": AGES, "code": CODES},
    "one axis more or less": {
        "age": np.ravel(AGES),
        "code": np.array(CODES)[:, None],
        "word": np.array(WORDS)[:, None],
    },
    "a table": FRAME,
    "a table of text": FRAME.astype(str),
    "tables": {"age": FRAME[["age"]], "code": FRAME["code"], "word": FRAME[["word"]]},
    "nullable columns": FRAME.convert_dtypes(),
    "a list in the model's order": [np.array(AGES), np.array(CODES), np.array(WORDS)],
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_inputs_as_they_are(form: str) -> None:
    arrays = read(FORMS[form])
    assert [arrays[spec.name].shape for spec in SPECS] == [(3, 1), (3,), (3, 1)]
    assert arrays["age"].dtype == np.float64
    assert arrays["code"].dtype == np.int64
    assert arrays["age"].ravel().tolist() == [1.5, 2.5, 3.5]
    assert arrays["code"].tolist() == CODES  # a float would lose the last digit
    assert arrays["word"].ravel().tolist() == WORDS


def test_one_array_of_whole_numbers_or_text_goes_to_the_only_input() -> None:
    given = [[1, 2], [3, 4], [5, 6]]
    for x in (given, np.array(given, np.uint8), pd.DataFrame(given, columns=["p", "q"]), {"tokens": given}):
        tokens = read(x, TOKENS)["tokens"]
        assert tokens.dtype == np.int32
        assert tokens.tolist() == given
    words = (InputSpec("text", (1,), "string"),)
    assert read(WORDS, words)["text"].ravel().tolist() == WORDS


def test_one_input_of_floats_takes_rows_and_images_as_any_backbone_does() -> None:
    rows, image = np.array([[1, 2], [3, 4], [5, 6]]), np.zeros((3, 8, 8))
    for x, shape in ((rows, (2,)), (image, (8, 8, 1))):
        specs = (InputSpec("inputs", shape, "float32"),)
        data, matched = match_inputs(from_arrays(x, Y, inputs=specs), specs)
        assert matched == ()
        assert isinstance(data.x, np.ndarray)
        assert data.digest == from_arrays(x, Y).digest
        assert data.x.shape[1:] == shape
    assert read(image, (InputSpec("inputs", (None, 8), "float32"),))["inputs"].shape == (3, 8, 8)  # a sequence


def test_without_a_known_model_the_data_says_what_it_is() -> None:
    data, specs = match_inputs(
        from_arrays({"a": AGES, "b": CODES, "c": WORDS, "d": [True, False, True]}, Y, inputs=()), ()
    )
    assert isinstance(data.x, NamedInputs)
    assert [(spec.name, spec.shape, spec.dtype) for spec in specs] == [
        ("a", (1,), "float32"),
        ("b", (), "int64"),
        ("c", (), "string"),
        ("d", (), "bool"),
    ]
    assert match_inputs(from_arrays([[1, 2], [3, 4], [5, 6]], Y, inputs=()), ())[1][0].dtype == "int32"
    assert match_inputs(from_arrays(np.ones((3, 2)), Y, inputs=()), ())[1] == ()


def test_a_csv_file_gives_its_columns_by_name_or_all_of_them(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("word,code,age,y\n007,7,1.5,0\nb,9007199254740993,2.5,1\nNA,0,3.5,1\n")
    data, _ = match_inputs(load_csv(path, "y", inputs=SPECS), SPECS)
    assert isinstance(data.x, NamedInputs)
    assert data.x.arrays["code"].tolist() == CODES
    assert data.x.arrays["word"].ravel().tolist() == ["007", "b", "NA"]  # a CSV file's cells are stripped
    path.write_text("p,q,y\n1,2,0\n3,4,1\n5,6,1\n")
    tokens, _ = match_inputs(load_csv(path, "y", inputs=TOKENS), TOKENS)
    assert isinstance(tokens.x, NamedInputs)
    assert tokens.x.arrays["tokens"].tolist() == [[1, 2], [3, 4], [5, 6]]


def test_an_archive_gives_its_arrays_by_name(tmp_path: Path) -> None:
    path = tmp_path / "t.npz"
    arrays: Any = {"age": AGES, "code": CODES, "word": np.array(WORDS)}
    np.savez(path, **arrays, y=Y, ignored=[1, 2, 3], who=["a", "b", "b"])
    data, _ = match_inputs(load_npz(path, {"group": "who"}, inputs=SPECS), SPECS)
    assert isinstance(data.x, NamedInputs)
    assert list(data.x.arrays) == ["age", "code", "word"]
    assert data.group is not None
    unknown = load_npz(path, {"group": "who"}, inputs=()).x
    assert isinstance(unknown, NamedInputs)
    assert set(unknown.arrays) == {*arrays, "ignored"}
    np.savez(path, x=[[1, 2], [3, 4], [5, 6]], y=Y)
    assert isinstance(load_npz(path, inputs=TOKENS).x, NamedInputs)
    with pytest.raises(InputError, match=r"takes the 3 inputs .* received one array"):
        match_inputs(load_npz(path, inputs=SPECS), SPECS)


BAD: dict[str, tuple[Any, tuple[InputSpec, ...], str]] = {
    "lacks one": ({"age": AGES, "code": CODES}, SPECS, "'age', 'code' and 'word', the data lacks 'word'"),
    "one too many": (FORMS["lists"] | {"z": AGES}, SPECS, "the data has 'z' besides; leave out what is no input"),
    "other length": (FORMS["lists"] | {"age": AGES[:2]}, SPECS, r"x\['age'\] has 2 rows and x\['code'\] has 3"),
    "other shape": (FORMS["lists"] | {"age": np.ones((3, 2))}, SPECS, r"shape \(2,\) in each row, .* takes \(1,\)"),
    "text for numbers": (FORMS["lists"] | {"age": WORDS}, SPECS, r"x\['age'\] holds text, .* takes numbers"),
    "numbers for text": (FORMS["lists"] | {"word": CODES}, SPECS, r"x\['word'\] holds int64, .* takes text"),
    "parts of whole numbers": (FORMS["lists"] | {"code": [0.5, 1, 2]}, SPECS, r"holds 0.5 in row 1, .*whole numbers"),
    "too large": ([[2**31, 1], [2, 3], [4, 5]], TOKENS, "holds 2147483648 in row 1, .* to 2147483647"),
    "missing": (FORMS["lists"] | {"age": [[1.0], [np.nan], [2.0]]}, SPECS, "1 values that are missing .* in row 2"),
    "missing cell": (
        FRAME.assign(code=pd.Series([1, None, 2])),
        SPECS,
        r"x\['code'\] has 1 missing cells, the first in row 2",
    ),
    "word among numbers": (FRAME.assign(age=["1", "two", "3"]), SPECS, "takes numbers but for 1 cell: 'two' in row 2"),
    "ragged": ([[1], [2, 3], [4]], TOKENS, "rows have different lengths; pad them to one length"),
    "mixed": (FORMS["lists"] | {"word": ["a", 1, "b"]}, SPECS, "of one kind"),
    "no name": (np.ones((3, 4)), SPECS, "3 inputs .* received one array; give x as a dict"),
    "lists are ambiguous": ([AGES, CODES, WORDS], SPECS, "received a list of 3; give x as a dict"),
    "empty": ({}, SPECS, "x is an empty dict"),
    "bad text": (FORMS["lists"] | {"word": ["a", "b\0", "c"]}, SPECS, "not valid UTF-8 text"),
    "dates": (FORMS["lists"] | {"age": np.array(["2024-01-01"] * 3, "M8[D]")}, SPECS, "received dates"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_does_not_fit_is_refused_by_name(case: str) -> None:
    x, specs, message = BAD[case]
    with pytest.raises(InputError, match=message):
        match_inputs(from_arrays(x, Y, inputs=specs), specs)


def test_named_inputs_are_for_own_models_alone() -> None:
    with pytest.raises(InputError, match="only a model of your own takes"):
        from_arrays(FORMS["lists"], Y)
    data = Dataset(NamedInputs({"a": np.ones((3, 1), np.float32)}), np.array(Y), None, "mine", None)
    with pytest.raises(InputError, match="only a model of your own takes"):
        match_inputs(data, None)


def test_what_is_passed_in_is_not_changed() -> None:
    given = {name: np.array(values) for name, values in FORMS["lists"].items()}
    arrays = read(given)
    given["age"][:] = 0
    assert arrays["age"].ravel().tolist() == [1.5, 2.5, 3.5]
    assert given["age"].flags.writeable


def test_data_that_any_backbone_takes_reaches_an_own_model_too() -> None:
    digits, pixels = load_bundled("digits"), (InputSpec("pixels", (8, 8), "uint8"),)
    data, matched = match_inputs(digits, pixels)
    assert matched == pixels
    assert isinstance(data.x, NamedInputs)
    assert data.x.arrays["pixels"].dtype == np.uint8
    assert np.array_equal(data.x.arrays["pixels"], np.asarray(digits.x)[..., 0])
    iris = load_bundled("iris")
    assert iris.columns is not None
    columns = tuple(InputSpec(name, (1,), "float32") for name in reversed(iris.columns))
    data, _ = match_inputs(iris, columns)
    assert isinstance(data.x, NamedInputs)
    assert np.array_equal(np.hstack(list(data.x.arrays.values())), np.asarray(iris.x)[:, ::-1])
    with pytest.raises(InputError, match=r"takes the 2 inputs .* and the data has one array, x"):
        match_inputs(digits, SPECS[:2])


def test_a_table_of_words_and_numbers_is_known_by_its_columns_if_nothing_is_scaled() -> None:
    data = from_arrays(FRAME.assign(flag=[True, False, True]), Y, inputs=())
    matched, specs = match_inputs(data, (), "none")
    assert {spec.name: spec.kind for spec in specs} == {
        "word": "text",
        "code": "integer",  # beyond 2**53
        "age": "float",
        "flag": "boolean",
    }
    assert isinstance(matched.x, NamedInputs)
    assert match_inputs(data, ())[1] == ()  # standardized, it is one array of features
