"""Inputs by name: rows, content, codes, JSON; no TensorFlow."""

from __future__ import annotations

import json

import numpy as np
import pytest

from regzoo.data.dataset import Dataset
from regzoo.data.inputs import InputSpec, NamedInputs, count_rows, format_shape, list_arrays, map_inputs


def make() -> NamedInputs:
    arrays = {
        "a": np.array([[1.0, 2.0], [1.0, 2.0], [3.0, 4.0]], np.float32),
        "b": np.array([1, 1, 2]),
        "c": np.array([["x"], ["x"], ["y"]], dtype=object),
    }
    return NamedInputs(arrays)


@pytest.mark.parametrize(
    ("dtype", "kind"),
    [("float16", "float"), ("bfloat16", "float"), ("uint8", "integer"), ("int64", "integer"), ("bool", "boolean")],
)
def test_the_kind_of_an_input_follows_from_its_dtype(dtype: str, kind: str) -> None:
    spec = InputSpec("a", (None, 3), dtype)
    assert spec.kind == kind
    assert InputSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec
    assert str(spec) == f"'a' ({dtype}, shape (any, 3))"


def test_rows_are_taken_from_every_array() -> None:
    rows = make()[np.array([2, 0])]
    assert len(rows) == 2
    assert rows.tolist() == [[[3.0, 4.0], 2, ["y"]], [[1.0, 2.0], 1, ["x"]]]
    with pytest.raises(ValueError, match="read-only"):
        rows.arrays["b"][0] = 5


def test_equal_rows_have_equal_codes_and_any_difference_shows() -> None:
    codes = make().cell_codes()
    assert codes.tolist() == [[0, 0, 0], [0, 0, 0], [1, 1, 1]]
    for name, value in (("a", 9.0), ("b", 9), ("c", "z")):
        arrays = {key: np.array(values) for key, values in make().arrays.items()}
        arrays[name].reshape(3, -1)[1, 0] = value
        changed = NamedInputs(arrays)
        assert len(np.unique(changed.cell_codes(), axis=0)) == 3
        assert changed.content != make().content
    renamed = NamedInputs({"other" if name == "a" else name: values for name, values in make().arrays.items()})
    assert renamed.content != make().content


def test_a_data_set_of_named_inputs_has_codes_and_a_digest_of_its_own() -> None:
    data = Dataset(make(), np.array([0, 0, 1]), None, "mine", None)
    assert data.kind == "inputs"
    assert data.content_codes.tolist() == [0, 0, 1]
    wider = NamedInputs({**make().arrays, "b": make().arrays["b"].astype(np.int32)})
    assert Dataset(wider, data.y, None, "mine", None).digest == data.digest  # the same values
    assert Dataset(make()[:2], np.array([0, 1]), None, "mine", None).digest != data.digest


def test_one_array_and_several_are_handled_by_the_same_functions() -> None:
    one, several = np.arange(3), {"a": np.arange(3), "b": np.arange(6).reshape(3, 2)}
    assert (count_rows(one), count_rows(several)) == (3, 3)
    assert [array.ndim for array in list_arrays(several)] == [1, 2]
    assert map_inputs(np.ndim, several) == {"a": 1, "b": 2}
    assert format_shape((None,)) == "(any,)"
