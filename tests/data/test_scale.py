"""``data.scale``: what is standardized, for each input, and what is handed over as it is; no TensorFlow."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from regzoo.comparison.setup import make_data_identity, make_setup
from regzoo.config import from_keywords, read_config
from regzoo.config.sections import SplitConfig
from regzoo.core import InputError
from regzoo.data.inputs import InputSpec, NamedInputs
from regzoo.data.prepared import PreparedData
from regzoo.data.preprocess import prepare_fold, prepare_folds
from regzoo.data.preprocessor import Preprocessor, Scale
from regzoo.data.sources import from_arrays, load_bundled

RANDOM = np.random.default_rng(0)
ROWS = 60
X: dict[str, Any] = {
    "numbers": RANDOM.normal(50, [1, 9, 3], (ROWS, 3)),
    "series": RANDOM.normal(-4, 2, (ROWS, 5, 2)),
    "level": RANDOM.normal(7, 2, ROWS),
    "tokens": RANDOM.integers(0, 9, (ROWS, 4)),
    "flag": RANDOM.integers(0, 2, ROWS) > 0,
    "word": np.array(["a", "é", "ccc"])[RANDOM.integers(0, 3, ROWS)],
}
Y = RANDOM.integers(0, 2, ROWS)
SPECS = (
    InputSpec("numbers", (3,), "float32"),
    InputSpec("series", (None, 2), "float32"),
    InputSpec("level", (), "float32"),
    InputSpec("tokens", (None,), "int32"),
    InputSpec("flag", (), "bool"),
    InputSpec("word", (1,), "string"),
)
FLOATS = ("numbers", "series", "level")


def prepare(scale: Scale, **split: Any) -> PreparedData:
    return prepare_fold(from_arrays(X, Y, inputs=SPECS), SplitConfig(**split), 0, inputs=SPECS, scale=scale)


def test_each_input_of_floats_is_standardized_over_its_own_training_rows() -> None:
    prepared = prepare("standardize")
    for name in FLOATS:
        train = prepared.train[0][name]
        axes = tuple(range(max(1, train.ndim - 1)))
        np.testing.assert_allclose(train.mean(axes, dtype=np.float64), 0, atol=1e-5)
        np.testing.assert_allclose(train.std(axes, dtype=np.float64), 1, atol=1e-5)
    rows = prepared.split.test
    assert np.array_equal(prepared.test[0]["tokens"], X["tokens"][rows])
    assert np.array_equal(prepared.test[0]["flag"], X["flag"][rows])
    assert [word.decode() for word in prepared.test[0]["word"][:, 0]] == X["word"][rows].tolist()
    assert {name: values.dtype.kind for name, values in prepared.test[0].items()} == {
        **dict.fromkeys(FLOATS, "f"),
        "tokens": "i",
        "flag": "b",
        "word": "S",
    }
    (note,) = prepared.facts["repairs"]
    assert note.startswith("'tokens', 'flag' and 'word' take whole numbers, booleans or text")


def test_without_scaling_every_input_is_as_it_was_given() -> None:
    prepared = prepare("none")
    for name in FLOATS:
        assert np.array_equal(prepared.train[0][name], X[name][prepared.split.train].astype(np.float32))
    assert prepared.facts["repairs"] == []


@pytest.mark.parametrize("scale", ["none", "standardize"])
def test_the_preprocessor_and_the_held_out_rows_survive_json(scale: Scale) -> None:
    prepared = prepare(scale)
    preprocessor = Preprocessor.from_json(prepared.preprocessor.to_json())
    assert preprocessor == prepared.preprocessor
    raw = preprocessor.inputs_from_json(json.loads(json.dumps(prepared.held_out[0].tolist())))
    again = preprocessor.transform(raw)
    for name, values in prepared.test[0].items():
        assert again[name].dtype == values.dtype or values.dtype.kind == "S"
        assert np.array_equal(again[name], values[: len(raw)])


def test_named_backbones_have_the_file_that_they_always_had() -> None:
    prepared = prepare_fold(load_bundled("iris"), SplitConfig(), 0)
    assert "inputs" not in json.loads(prepared.preprocessor.to_json())


def test_folds_groups_and_equal_rows_work_with_named_inputs() -> None:
    doubled = {name: np.concatenate([values, values]) for name, values in X.items()}
    data = from_arrays(doubled, np.concatenate([Y, Y]), groups=np.tile(np.arange(30), 4), inputs=SPECS)
    prepared = prepare_folds(data, SplitConfig(folds=3), 0, count=3, inputs=SPECS)
    assert len(prepared.folds) == 2
    assert prepared.split.facts["duplicates"] == 0  # equal rows are of one group
    assert any("60 of 120 rows repeat an earlier row" in warning for warning in prepared.facts["warnings"])
    together = from_arrays(doubled, np.concatenate([Y, Y]), inputs=SPECS)
    split = prepare_fold(together, SplitConfig(duplicates="together", label_noise=0.2), 0, inputs=SPECS).split
    assert split.facts["duplicates"] == 0


def test_an_input_that_is_the_target_is_refused() -> None:
    with pytest.raises(InputError, match=r"column 'level' .* is the target itself"):
        prepare_fold(from_arrays(X | {"level": Y.astype(float)}, Y, inputs=SPECS), SplitConfig(), 0, inputs=SPECS)


def test_numeric_targets_follow_the_inputs() -> None:
    y = 1000 + 50 * RANDOM.normal(size=ROWS)
    data = from_arrays(X["numbers"], y)
    scaled, plain = (prepare_fold(data, SplitConfig(), 0, scale=scale) for scale in ("standardize", "none"))
    assert scaled.preprocessor.target_scale == pytest.approx(y[scaled.split.train].std())
    assert (plain.preprocessor.target_mean, plain.preprocessor.target_scale) == (0.0, 1.0)
    assert np.array_equal(plain.train[1][:, 0], y[plain.split.train].astype(np.float32))
    assert np.array_equal(plain.train[0], X["numbers"][plain.split.train].astype(np.float32))


def test_a_table_is_handed_over_if_its_cells_are_complete_numbers_or_booleans() -> None:
    frame = pd.DataFrame({"a": [1.5, 2.5] * 30, "same": 4, "b": [True, False, False] * 20})
    prepared = prepare_fold(from_arrays(frame, Y), SplitConfig(), 0, scale="none")
    rows = prepared.split.train
    assert np.array_equal(prepared.train[0], frame.to_numpy(np.float32)[rows])  # the column of one value, too
    for column, message in (
        ([1.0, None] * 30, r"column 'a' has 30 missing cells, the first in row 2"),
        (["x", "y"] * 30, r"column 'a' holds words, and the model takes numbers"),
        (["2024-01-31", "2024-02-01"] * 30, r"column 'a' holds dates"),
    ):
        with pytest.raises(InputError, match=message):
            prepare_fold(from_arrays(frame.assign(a=pd.Series(column)), Y), SplitConfig(), 0, scale="none")


def test_a_model_of_another_number_of_features_is_refused() -> None:
    specs = (InputSpec("inputs", (2,), "float32"),)
    with pytest.raises(InputError, match=r"'inputs' \(float32, shape \(2,\)\) takes other rows .* \(3,\)"):
        prepare_fold(from_arrays(X["numbers"], Y, inputs=specs), SplitConfig(), 0, inputs=specs)


def test_only_one_array_of_floats_can_be_reconstructed() -> None:
    for specs in (SPECS, SPECS[3:4], SPECS[1:2]):
        x = {spec.name: X[spec.name] for spec in specs}
        with pytest.raises(InputError, match="reconstruction takes a model with one input of floats"):
            prepare_fold(from_arrays(x, None, inputs=specs), SplitConfig(), 0, "reconstruction", inputs=specs)
    specs = (InputSpec("series", (5, 2), "float32"),)
    prepared = prepare_fold(
        from_arrays(X["series"], None, inputs=specs), SplitConfig(), 0, "reconstruction", inputs=specs
    )
    assert prepared.train[1] is not None
    assert np.array_equal(*prepared.train)
    assert prepared.preprocessor.outputs == 10


def test_scale_is_a_key_of_data_and_a_keyword_next_to_x() -> None:
    text = "name: a\nbackbone: mlp\nrecipes: [none]\ndata: {source: iris, scale: none}\n"
    given = read_config(text)
    assert given.data.scale == "none"
    assert read_config(given.to_yaml()).data.scale == "none"
    plain = read_config(text.replace(", scale: none", ""))
    assert (plain.data.scale, "scale" in plain.to_yaml()) == ("standardize", False)
    assert from_keywords(backbone="mlp", recipes=["none"], scale="none").data.scale == "none"
    with pytest.raises(InputError, match=r"data.scale: takes one of none, standardize, received 'nothing'"):
        from_keywords(backbone="mlp", recipes=["none"], scale="nothing")
    with pytest.raises(InputError, match="scale: goes with x and y"):
        from_keywords(backbone="mlp", recipes=["none"], scale="none", data={"source": "iris"})
    assert make_data_identity("0", plain).endswith("seed=0")  # as older versions wrote it
    assert make_data_identity("0", given) != make_data_identity("0", plain)


def test_the_setup_names_the_inputs_only_if_they_are_not_one_array_of_floats() -> None:
    experiment = from_keywords(backbone="mlp", recipes=["none"])
    setup = make_setup(experiment, prepare("standardize"))
    assert (setup.inputs, setup.input_shape) == (SPECS, ())
    assert type(setup).from_json(json.loads(json.dumps(setup.to_json()))) == setup
    assert make_setup(experiment, prepare_fold(load_bundled("iris"), SplitConfig(), 0)).inputs == ()
    assert isinstance(prepare("none").held_out[0], NamedInputs)
