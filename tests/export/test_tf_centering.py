"""Shift law: a constant or a power of two changes nothing from CSV to the exported graph, whatever its dtype."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

import regzoo
from regzoo.config import SplitConfig
from regzoo.data.centering import choose_answer_dtype
from regzoo.data.inputs import InputSpec
from regzoo.data.prepared import PreparedData
from regzoo.data.preprocess import prepare_fold
from regzoo.data.preprocessor import Preprocessor
from regzoo.data.sources import from_arrays, load_csv
from regzoo.export.predict import predict_file
from regzoo.export.saved_model import ServedModel
from regzoo.export.signature import make_input_specs, split_inputs
from regzoo.export.tf_centering import restore_units

RNG = np.random.default_rng(0)
N = 120
WHOLE = RNG.integers(-50, 50, N).tolist()
PART = np.array(["train"] * 80 + ["validation"] * 20 + ["test"] * 20)

ROUNDING = 4e-6
"""Largest difference of a standardized number: 1e-6 by each of two casts that count as exact, and as much again."""

CONSTANTS = [*(2**bits for bits in (10, 24, 31, 40, 52, 53, 60, 62)), *(-(2**bits) for bits in (24, 52, 62))]
SHIFTS: dict[str, tuple[Any, Any]] = {
    **{f"{constant:+}": (1, constant) for constant in CONSTANTS},
    **{f"* 2**{power}": (2.0**power, 0) for power in (-130, -40, -1, 20, 90)},
    "* 2**-10 + 2**30": (2.0**-10, 2**30),
    "decimals": (Decimal("0.01"), 1_700_000_000),
}
"""Factor and constant by name."""

QUICK = ("+2147483648", f"{2**60:+}", "* 2**-130")


def prepare_csv(path: Path, first: list[Any], gaps: bool, target: list[Any] | None = None) -> PreparedData:
    """Return a CSV file of three columns, of which the first is given, prepared for classification or regression."""
    cells = ["" if gaps and row % 9 == 4 else str(value) for row, value in enumerate(first)]
    y = ["a", "b"] * (N // 2) if target is None else [str(value) for value in target]
    pd.DataFrame({"t": cells, "u": np.arange(N) % 7, "part": PART, "y": y}).to_csv(path, index=False)
    return prepare_fold(load_csv(path, "y", roles={"part": "part"}), SplitConfig(), 0)


def serve(preprocessor: Preprocessor, raw: Any) -> Any:
    """Return what the graph makes of raw inputs in the dtypes that it takes."""
    specs, inputs = make_input_specs(preprocessor), split_inputs(raw, preprocessor)
    assert all(inputs[name].dtype == spec.dtype.as_numpy_dtype for name, spec in specs.items())
    preprocess = tf.function(ServedModel(None, preprocessor).preprocess)
    return preprocess({name: tf.constant(values) for name, values in inputs.items()})


@pytest.mark.parametrize("gaps", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["complete", "gaps"])
@pytest.mark.parametrize("shift", [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in SHIFTS])
def test_a_shifted_column_is_the_same_from_csv_to_the_graph(shift: str, gaps: bool, tmp_path: Path) -> None:
    base = prepare_csv(tmp_path / "base.csv", WHOLE, gaps)
    factor, constant = SHIFTS[shift]
    prepared = prepare_csv(tmp_path / "shifted.csv", [value * factor + constant for value in WHOLE], gaps)
    preprocessor = Preprocessor.from_json(prepared.preprocessor.to_json())
    assert preprocessor == prepared.preprocessor
    for part in ("train", "validation", "test"):
        np.testing.assert_allclose(getattr(prepared, part)[0], getattr(base, part)[0], atol=ROUNDING)
    np.testing.assert_allclose(serve(preprocessor, prepared.held_out[0]), base.test[0], atol=ROUNDING)
    kept = preprocessor.inputs_from_json(prepared.held_out[0].tolist())  # as the ledger keeps the rows
    np.testing.assert_array_equal(preprocessor.transform(kept), prepared.test[0])
    assert not [w for w in prepared.facts["warnings"] if w not in base.facts["warnings"] and "float32" in w]


@pytest.mark.parametrize("bits", [24, 31, 40, 52, 60])
def test_shifted_targets_come_back_in_their_units(bits: int, tmp_path: Path) -> None:
    other = WHOLE[::-1]
    base = prepare_csv(tmp_path / "base.csv", other, False, WHOLE)
    prepared = prepare_csv(tmp_path / "shifted.csv", other, False, [value + 2**bits for value in WHOLE])
    np.testing.assert_allclose(prepared.train[1], base.train[1], atol=ROUNDING)
    preprocessor = Preprocessor.from_json(prepared.preprocessor.to_json())
    mean = preprocessor.target_center + preprocessor.target_mean
    answers = restore_units(tf.constant(base.test[1]), mean, preprocessor.target_scale)
    expected = np.array(WHOLE[100:], dtype=np.float64)[:, np.newaxis] + 2.0**bits
    np.testing.assert_allclose(answers, expected, rtol=0, atol=1e-3 + np.spacing(2.0**bits))
    assert answers.dtype == (tf.float64 if bits > 12 else tf.float32)


def test_answers_are_float32_where_it_does_not_blur_them() -> None:
    assert choose_answer_dtype([0.0, 50.0], [1.0, 1.0]) == choose_answer_dtype(0.0, 0.1) == "float32"
    assert choose_answer_dtype([0.0, 1e4], [1.0, 1.0]) == choose_answer_dtype(0.0, 1e-40) == "float64"


@pytest.mark.parametrize("shape", [(N, 2), (N, 3, 3, 1), (N, 5, 2)], ids=["rows", "images", "sequences"])
@pytest.mark.parametrize("dtype", [np.float64, np.int64])
def test_arrays_are_centered_and_reconstructed(shape: tuple[int, ...], dtype: Any) -> None:
    base = RNG.integers(0, 100, shape)
    x = (base + 2**60 if dtype == np.int64 else base + 2.0**40).astype(dtype)
    prepared = prepare_fold(from_arrays(x, None, part=PART), SplitConfig(), 0, "reconstruction")
    preprocessor = prepared.preprocessor
    assert preprocessor.centering.dtype == np.dtype(dtype).name
    np.testing.assert_allclose(serve(preprocessor, prepared.held_out[0]), prepared.test[0], atol=ROUNDING)
    small = prepare_fold(from_arrays(base, None, part=PART), SplitConfig(), 0, "reconstruction")
    np.testing.assert_allclose(prepared.test[0], small.test[0], atol=ROUNDING)
    restored = restore_units(tf.constant(prepared.test[0]), *preprocessor.raw_statistics)
    np.testing.assert_allclose(restored, x[100:].astype(np.float64), rtol=0, atol=np.spacing(2.0**60) + 1e-3)


def test_the_center_and_the_mean_are_subtracted_one_after_the_other() -> None:
    """Large numbers that float32 holds, whose mean it does not: TensorFlow would add both, in float32."""
    x = (2.0**40 + 2.0**17 * np.array([WHOLE, WHOLE[::-1]]).T).astype(np.float32)
    prepared = prepare_fold(from_arrays(x, np.array(["a", "b"] * (N // 2)), part=PART), SplitConfig(), 0)
    assert prepared.preprocessor.centering.dtype == "float32"
    assert not prepared.preprocessor.centering.is_neutral
    np.testing.assert_allclose(serve(prepared.preprocessor, prepared.held_out[0]), prepared.test[0], atol=ROUNDING)


def test_an_input_of_an_own_model_is_centered() -> None:
    specs = (InputSpec("time", (1,), "float32"), InputSpec("code", (1,), "int32"))
    given = {"time": 1.7e9 + np.array(WHOLE) / 8, "code": np.arange(N)}
    data = from_arrays(given, np.array(["a", "b"] * (N // 2)), part=PART, inputs=specs)
    prepared = prepare_fold(data, SplitConfig(), 0, inputs=specs)
    assert prepared.preprocessor.inputs[0].centering.dtype == "float64"
    served = serve(Preprocessor.from_json(prepared.preprocessor.to_json()), prepared.held_out[0])
    np.testing.assert_allclose(served["time"], prepared.test[0]["time"], atol=ROUNDING)
    time = np.array(WHOLE[:80])
    expected = (np.array(WHOLE[100:]) - time.mean()) / time.std()
    np.testing.assert_allclose(served["time"][:, 0], expected, atol=ROUNDING)


@pytest.mark.slow
def test_a_shifted_table_gives_the_same_comparison_and_predictions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The features, and the targets of a regression, are shifted by other constants; the answers differ by rounding."""
    monkeypatch.chdir(tmp_path)
    target = [3 * value + row % 7 for row, value in enumerate(WHOLE)]
    answers = []
    for name, (factor, constant), shift in (("base", (1, 0), 0), ("shifted", (2.0**-3, 2**45), 2**40)):
        table = pd.DataFrame({"t": [repr(value * factor + constant) for value in WHOLE], "u": np.arange(N) % 7})
        table.assign(y=[value + shift for value in target]).to_csv(f"{name}.csv", index=False)
        result = regzoo.compare(
            data={"csv": f"{name}.csv", "target": "y"}, backbone="mlp([8])", recipes=["none", "l2"], name=name,
            training={"epochs": 4}, search={"trials": 1}, replicates=2, workers=0,
        )  # fmt: skip
        predict_file(
            result.export(f"{name}-model"), Path(f"{name}.csv"), Path(f"{name}.out.csv"), notify=lambda _: None
        )
        answers.append((result.leaderboard["mean"], pd.read_csv(f"{name}.out.csv")["prediction"] - shift))
    (one, predicted), (other, shifted) = answers
    np.testing.assert_allclose(one, other, rtol=1e-4)
    np.testing.assert_allclose(predicted, shifted, atol=0.01)  # of targets between -150 and 156
