"""Convert: every kind of model in ONNX and LiteRT answers as the live one, or is refused with the way out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from regzoo.config import SplitConfig
from regzoo.core import EnvironmentFailure, parse
from regzoo.core.errors import ConversionError
from regzoo.data.preprocess import prepare_fold
from regzoo.data.preprocessor import Preprocessor
from regzoo.data.sources import from_arrays
from regzoo.export import saved_model
from regzoo.export.convert import convert_saved_model
from regzoo.export.formats import LITERT, ONNX, Format
from regzoo.export.verify import verify_parity
from regzoo.training.engine.trainer import build_compiled_model, load_finished_model
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
    "a transformer": ("transformer(width=8, depth=1, heads=2, hidden=8)", "attention_dropout(0.1)", "images", 1),
    "an autoencoder": ("autoencoder([4], code=2)", "none", "rebuilt", 1),
    "an ensemble of regressions": ("mlp([4])", "ensemble(2)", "numbers", 2),
}


def made(backbone: str, recipe: str, kind: str, members: int) -> tuple[Any, Preprocessor, Any]:
    """An untrained model of that kind, with 14 raw rows: batches of 7 and, at the end of neither, of fewer."""
    random = np.random.default_rng(0)
    x = random.normal(5.0, 3.0, (60, *(PIXELS if kind == "images" else ROWS))).astype(np.float32)
    y: Any = np.arange(60) % 3
    if kind == "words":
        y = np.array(["größe", "lily", "rose"])[y]
    if kind == "numbers":
        y = 300.0 + x.sum(1)
    if kind == "columns":
        x = pd.DataFrame(x, columns=[f"column {number}" for number in range(5)])  # type: ignore[assignment]
        x.iloc[::7, 1] = np.nan  # type: ignore[attr-defined]
    prepared = prepare_fold(from_arrays(x, None if kind == "rebuilt" else y), SplitConfig(), seed=0)
    preprocessor = prepared.preprocessor
    task = Task(preprocessor.task, preprocessor.outputs, preprocessor.target_scale)
    setup = TrainingSetup(backbone, task, preprocessor.input_shape, "adam", 16, "nll", "test")
    one = parse("none" if "ensemble" in recipe else recipe)
    weights = [build_compiled_model(setup, one, seed=seed).get_weights() for seed in range(members)]
    rows = prepared.held_out[0][:9]
    return load_finished_model(setup, parse(recipe), weights), preprocessor, rows


@pytest.mark.slow
@pytest.mark.parametrize("form", [ONNX, LITERT], ids=lambda form: form.name)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_answers_as_the_live_model_does_at_any_batch_size(kind: str, form: Format, tmp_path: Path) -> None:
    model, preprocessor, rows = made(*KINDS[kind])
    saved_model.write(model, preprocessor, tmp_path / "saved", form.numbered)
    convert_saved_model(tmp_path / "saved", form, tmp_path / form.file)
    given = saved_model.named_inputs(rows, preprocessor)
    expected = saved_model.live(model, preprocessor, rows, form.numbered)
    parity = verify_parity(tmp_path, given, expected, form)  # batch 1, 7, and the 2 that are left
    assert parity.rows == 9
    assert ("class" in expected) == (form.numbered and preprocessor.task == "classification")


@pytest.mark.slow
@pytest.mark.parametrize("form", [ONNX, LITERT], ids=lambda form: form.name)
def test_what_has_no_counterpart_is_said(form: Format, tmp_path: Path) -> None:
    model, preprocessor, _ = made("mlp([4])", "dropout(0.5) + mc_dropout(10)", "rows", 1)
    saved_model.write(model, preprocessor, tmp_path / "saved", form.numbered)
    with pytest.raises(ConversionError, match=f"cannot be written as {form.name}: .*StatelessRandom"):
        convert_saved_model(tmp_path / "saved", form, tmp_path / form.file)
    assert issubclass(ConversionError, EnvironmentFailure)
