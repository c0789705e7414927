"""Text and tokens from a config to a served model: `predict` and plain TensorFlow answer as in training."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import regzoo
from regzoo.core import InputError
from regzoo.export.predict import predict_file

CONFIGS = Path(__file__).parents[2] / "configs"

SMALL: dict[str, Any] = {
    "training": {"epochs": 6, "learning_rate": 0.01},
    "search": {"repeats": 1, "trials": 2, "confirm": 0},
    "replicates": 2,
    "vary": ["seed"],
    "workers": 0,
}
TINY = "transformer(width=8, depth=1, heads=2, hidden=8)"

SERVE = """
import sys
import numpy as np
import tensorflow as tf

model = tf.saved_model.load(sys.argv[1])
serve = model.signatures["serving_default"]
with np.load(sys.argv[2]) as file:
    answers = serve(**{name: tf.constant(file[name]) for name in file.files})
np.save(sys.argv[3], answers["probabilities"].numpy())
assert "regzoo" not in sys.modules
"""


def serve(model: Path, folder: Path, **inputs: np.ndarray) -> np.ndarray:
    """Return the probabilities of plain TensorFlow, in a process of its own."""
    np.savez(folder / "served.npz", **inputs)  # type: ignore[arg-type]  # the stub takes any keyword for allow_pickle
    command = [sys.executable, "-c", SERVE, str(model), str(folder / "served.npz"), str(folder / "answers.npy")]
    subprocess.run(command, check=True, capture_output=True, cwd=folder)
    return np.load(folder / "answers.npy")


def predict(model: Path, source: Path, folder: Path) -> pd.DataFrame:
    """Return the answers of ``predict`` for a file."""
    out = folder / f"{source.name}.answers.csv"
    predict_file(model, source, out)
    return pd.read_csv(out)


def make_texts(rows: int) -> tuple[list[str], np.ndarray]:
    """Return texts about animals or money, odd ones among them, and their topic."""
    draw = np.random.default_rng(0)
    words = {"animal": "cat dog bird fish horse Größe", "money": "bank price stock trade sells Über"}
    topics = draw.choice(list(words), rows)
    texts = [" ".join(draw.choice([*words[t].split(), "the", "in"], draw.integers(4, 9))) + "!" for t in topics]
    texts[:3] = ["", "?!", "  \t CAT,\ncat; cat "]
    return texts, topics


@pytest.mark.slow
def test_text_table_from_config_to_served_model(tmp_path: Path) -> None:
    for name in ("text.yaml", "docstrings.csv"):
        shutil.copy(CONFIGS / name, tmp_path)
    command = [sys.executable, "-m", "regzoo", "compare", "text.yaml", "--out", "result", "--workers", "2"]
    subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)
    rows = pd.read_csv(tmp_path / "docstrings.csv")
    answers = predict(tmp_path / "result" / "model", tmp_path / "docstrings.csv", tmp_path)
    assert (answers["label"] == rows["topic"]).mean() > 0.8  # a guess is right for 0.3 of them
    served = serve(tmp_path / "result" / "model", tmp_path, sentence=rows["sentence"].to_numpy().astype(bytes))
    assert served == pytest.approx(answers.filter(like="probability_").to_numpy(), abs=1e-5)


@pytest.mark.slow
def test_odd_texts_are_served_as_they_were_trained(tmp_path: Path) -> None:
    texts, topics = make_texts(160)
    result = regzoo.compare(texts, topics, backbone=TINY, recipes=["none", "mc_dropout(4) + dropout(0.1)"], **SMALL)
    model = tmp_path / "model"
    result.export(model)
    pd.DataFrame({"other": 1, "text": texts}).to_csv(tmp_path / "a.csv", index=False)
    np.savez(tmp_path / "a.npz", x=np.array(texts))
    from_csv, from_npz = (predict(model, tmp_path / name, tmp_path) for name in ("a.csv", "a.npz"))
    assert (from_npz["label"] == topics)[3:].mean() > 0.9
    numbers = from_npz.columns[1:]
    assert from_csv[numbers].to_numpy() == pytest.approx(from_npz[numbers].to_numpy(), abs=1e-5)
    frame = pd.DataFrame({"text": [None, *texts[1:]]})  # a missing cell is an empty text
    frame.to_parquet(tmp_path / "a.parquet")
    for answers in (regzoo.predict(model, frame), predict(model, tmp_path / "a.parquet", tmp_path)):
        assert answers[numbers].to_numpy() == pytest.approx(from_npz[numbers].to_numpy(), abs=1e-5)
    served = serve(model, tmp_path, text=np.array([text.encode() for text in texts]))
    assert served == pytest.approx(from_npz.filter(like="probability_").to_numpy(), abs=1e-5)


@pytest.mark.slow
def test_tokens_from_config_to_served_model(tmp_path: Path) -> None:
    for name in ("tokens.yaml", "tokens.npz"):
        shutil.copy(CONFIGS / name, tmp_path)
    command = [sys.executable, "-m", "regzoo", "compare", "tokens.yaml", "--out", "result", "--workers", "2"]
    subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)
    model = tmp_path / "result" / "model"
    answers = predict(model, tmp_path / "tokens.npz", tmp_path)
    with np.load(tmp_path / "tokens.npz") as file:
        x, y = file["x"].astype(np.int32), file["y"]
    assert (answers["label"] == y).mean() > 0.65  # most of what the bases alone tell
    pd.DataFrame(x).to_csv(tmp_path / "tokens.csv", index=False)
    assert predict(model, tmp_path / "tokens.csv", tmp_path).equals(answers)
    numbers = answers.columns[1:]
    assert regzoo.predict(model, pd.DataFrame(x))[numbers].to_numpy() == pytest.approx(answers[numbers].to_numpy())
    served = serve(model, tmp_path, tokens=x)
    assert served == pytest.approx(answers.filter(like="probability_").to_numpy(), abs=1e-5)
    lists = pd.DataFrame({"bases": [row[row > 0].tolist() for row in x]})
    lists.to_parquet(tmp_path / "lists.parquet")
    for given in (regzoo.predict(model, lists), predict(model, tmp_path / "lists.parquet", tmp_path)):
        assert given[numbers].to_numpy() == pytest.approx(answers[numbers].to_numpy(), abs=1e-6)
    with pytest.raises(InputError, match=r"row 1 has 31 tokens, and at most 30 are taken"):
        regzoo.predict(model, pd.DataFrame({"bases": [[1] * 31]}))
    with pytest.raises(InputError, match=r"'tokens' holds the token -1 in row 1; tokens count from 0"):
        regzoo.predict(model, pd.DataFrame(x[:1] - 1 - x[:1].min()))
    with pytest.warns(UserWarning, match="the token 9 in row 1, and training had none above 4: such tokens are masked"):
        regzoo.predict(
            model, pd.DataFrame(np.where(x == 1, 9, x)[[x.tolist().index(r) for r in x.tolist() if r[0] == 1]])
        )
    first, last = x[:1].copy(), x[:1].copy()
    first[0, 0], last[0, 0] = 999, 0  # training has no such token: masked, as padding is
    assert serve(model, tmp_path, tokens=first) == pytest.approx(serve(model, tmp_path, tokens=last), abs=1e-6)


@pytest.mark.slow
def test_sequences_from_arrays_to_served_model(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    y = draw.integers(0, 2, 160)
    x = draw.normal(1e6 + y[:, None], 0.5, (160, 9))[..., None]
    result = regzoo.compare(x, y, backbone="mlp([8])", recipes=["none", "dropout(0.1)"], **SMALL)
    result.export(tmp_path / "model")
    np.savez(tmp_path / "a.npz", x=x)
    pd.DataFrame(x[..., 0]).to_csv(tmp_path / "a.csv", index=False)  # a single channel fits into columns
    answers = predict(tmp_path / "model", tmp_path / "a.npz", tmp_path)
    assert (answers["label"] == y).mean() > 0.95
    numbers = answers.columns[1:]
    from_csv = predict(tmp_path / "model", tmp_path / "a.csv", tmp_path)
    assert from_csv[numbers].to_numpy() == pytest.approx(answers[numbers].to_numpy(), abs=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("reads", ["tokens", "text"])
def test_lstm_of_ones_own_on_words(tmp_path: Path, reads: str) -> None:
    import keras

    def build(input_shape: tuple[int, ...], outputs: int) -> keras.Model:
        if reads == "tokens":
            assert len(input_shape) == 1
            inputs = keras.Input((None,), dtype="int32")
            embedded = keras.layers.Embedding(30, 8, mask_zero=True)(inputs)
        else:
            assert input_shape == ()
            inputs = keras.Input((), dtype="string")
            layer = keras.layers.TextVectorization(vocabulary=["cat", "dog", "bank", "price"], output_sequence_length=8)
            embedded = keras.layers.Embedding(6, 8, mask_zero=True)(layer(inputs))
        outcome = keras.layers.Dense(outputs, activation="softmax")(keras.layers.LSTM(8)(embedded))
        return keras.Model(inputs, outcome)

    texts, topics = make_texts(160)
    kind: dict[str, Any] = {"kind": "text", "max_tokens": 30} if reads == "tokens" else {}
    result = regzoo.compare(texts, topics, backbone=build, recipes=["none", "dropout(0.1)"], **kind, **SMALL)
    result.export(tmp_path / "model")
    if reads == "tokens":
        result.export(tmp_path / "refit", refit=True, x=texts, y=topics)
    np.savez(tmp_path / "a.npz", x=np.array(texts))
    for name in ("model", "refit")[: 2 if reads == "tokens" else 1]:
        answers = predict(tmp_path / name, tmp_path / "a.npz", tmp_path)
        assert (answers["label"] == topics)[3:].mean() > 0.9
        (tmp_path / "a.npz.answers.csv").unlink()
