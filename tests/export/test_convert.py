"""Conversion to ONNX and LiteRT: every kind of model answers as the live one does, or is rejected with a way out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from regzoo.config import SplitConfig
from regzoo.core import EnvironmentFailure, InputError, parse
from regzoo.core.errors import ConversionError
from regzoo.data.preprocess import prepare_fold
from regzoo.data.preprocessor import Preprocessor
from regzoo.data.sources import from_arrays
from regzoo.export.convert import convert_saved_model
from regzoo.export.formats import LITERT, ONNX, Format, check_convertible
from regzoo.export.saved_model import predict_live, write_saved_model
from regzoo.export.signature import split_inputs
from regzoo.export.verify import verify_parity
from regzoo.training.engine.make_model import build_compiled_model, load_finished_model
from regzoo.training.setup import TrainingSetup
from regzoo.training.task import Task

PIXELS, ROWS = (8, 8, 1), (5,)
KINDS = {
    "a table": ("mlp([4])", "dropout(0.5) + batch_norm(0.9) + l2(0.1)", "columns", 1),
    "text labels": ("linear", "none", "words", 1),
    "a regression": ("mlp([4])", "layer_norm", "numbers", 1),
    "an ensemble": ("mlp([4])", "ensemble(2)", "rows", 2),
    "images": ("cnn([2], dense=4)", "spatial_dropout(0.5)", "images", 1),
    "a resnet": ("resnet([4], blocks=1)", "stochastic_depth(0.5)", "images", 1),
    "a transformer": (
        "transformer(width=8, depth=1, heads=2, hidden=8)",
        "attention_dropout(0.1) + embedding_dropout(0.1) + patch_dropout(0.5) + residual_dropout(0.1)"
        " + layer_scale(0.1)",
        "images",
        1,
    ),
    "an autoencoder": ("autoencoder([4], code=2)", "none", "reconstruction", 1),
    "an ensemble of regressions": ("mlp([4])", "ensemble(2)", "numbers", 2),
}
WIDE = {
    "times": ("mlp([4])", "none", "times", 1),
    "ids": ("mlp([4])", "none", "ids", 1),
    "a regression of times": ("mlp([4])", "none", "predicted times", 1),
}
"""Kinds that float32 cannot hold, which LiteRT computes in."""


def build_case(backbone: str, recipe: str, kind: str, members: int) -> tuple[Any, Preprocessor, Any]:
    """Return an untrained model, its preprocessor and 9 raw rows: a batch of 7, and one of 2."""
    random = np.random.default_rng(0)
    x: Any = random.normal(5.0, 3.0, (60, *(PIXELS if kind == "images" else ROWS))).astype(np.float32)
    y: Any = np.arange(60) % 3
    if kind == "words":
        y = np.array(["größe", "lily", "rose"])[y]
    if kind == "numbers":
        y = 300.0 + x.sum(1)
    if kind == "columns":
        x = pd.DataFrame(x, columns=[f"column {number}" for number in range(5)])
        x.iloc[::7, 1] = np.nan
    if kind in ("times", "ids"):
        x = (x.astype(np.float64) * 10).astype(np.int64) + (2**60 if kind == "ids" else 1_700_000_000)
    if kind == "predicted times":
        y = 1_700_000_000 + x.sum(1, dtype=np.float64)
    prepared = prepare_fold(from_arrays(x, None if kind == "reconstruction" else y), SplitConfig(), seed=0)
    preprocessor = prepared.preprocessor
    task = Task(preprocessor.task, preprocessor.outputs, preprocessor.target_scale)
    setup = TrainingSetup(backbone, task, preprocessor.input_shape, "adam", 16, "nll", "test")
    single = parse("none" if "ensemble" in recipe else recipe)
    weights = [build_compiled_model(setup, single, seed=seed).get_weights() for seed in range(members)]
    rows = prepared.held_out[0][:9]
    return load_finished_model(setup, parse(recipe), weights), preprocessor, rows


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "format"),
    [*((kind, format) for kind in KINDS for format in (ONNX, LITERT)), *((kind, ONNX) for kind in WIDE)],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_every_kind_answers_as_the_live_model_does_at_any_batch_size(kind: str, format: Format, tmp_path: Path) -> None:
    model, preprocessor, rows = build_case(*(KINDS | WIDE)[kind])
    write_saved_model(model, preprocessor, tmp_path / "saved", format.numeric_labels)
    convert_saved_model(tmp_path / "saved", format, tmp_path / format.file)
    inputs = split_inputs(rows, preprocessor)
    expected = predict_live(model, preprocessor, rows, format.numeric_labels)
    parity = verify_parity(tmp_path, inputs, expected, format)  # batches of 1, and of 7 and 2
    assert parity.rows == 9
    assert ("class" in expected) == (format.numeric_labels and preprocessor.task == "classification")


@pytest.mark.slow
@pytest.mark.parametrize("format", [ONNX, LITERT], ids=lambda format: format.name)
def test_an_operation_without_counterpart_is_named(format: Format, tmp_path: Path) -> None:
    model, preprocessor, _ = build_case("mlp([4])", "dropout(0.5) + mc_dropout(10)", "rows", 1)
    write_saved_model(model, preprocessor, tmp_path / "saved", format.numeric_labels)
    with pytest.raises(ConversionError, match=f"cannot be written as {format.name}: .*StatelessRandom"):
        convert_saved_model(tmp_path / "saved", format, tmp_path / format.file)
    assert issubclass(ConversionError, EnvironmentFailure)


@pytest.mark.parametrize(
    ("kind", "named"), [("times", "rows"), ("ids", "rows"), ("a regression of times", "the target")]
)
def test_numbers_that_float32_does_not_hold_are_no_litert_model(kind: str, named: str) -> None:
    _, preprocessor, _ = build_case(*WIDE[kind])
    check_convertible(ONNX, preprocessor, parse("none"))
    with pytest.raises(
        InputError, match=rf"litert computes in float32, in which {named} would lose .*saved_model or onnx"
    ):
        check_convertible(LITERT, preprocessor, parse("none"))
