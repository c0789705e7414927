"""Round trip: for each training row, CSV, Parquet, DataFrame and the card's code give the same answer."""

from __future__ import annotations

import io
import json
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import regzoo
from regzoo.export.predict import predict_file

pytestmark = pytest.mark.slow

ROWS = 120
FEW: dict[str, Any] = {
    "backbone": "mlp(widths=[8])",
    "recipes": ["none"],
    "replicates": 2,
    "vary": ["seed"],
    "search": {"trials": 1, "tuner": "random"},
    "training": {"epochs": 3, "batch_size": 32, "learning_rate": 0.02},
    "workers": 0,
}


def make_typed() -> pd.DataFrame:
    """Return columns of many types, some with missing cells."""
    random = np.random.default_rng(0)
    days = pd.Series(pd.date_range("2024-01-01", periods=ROWS, freq="7h"))
    frame = pd.DataFrame(
        {
            "float": random.normal(size=ROWS) * 1000,
            "large": 1.7e9 + np.arange(ROWS) % 50,
            "huge": 2**53 + 1 + 2 * (np.arange(ROWS) % 60),
            "nullable": pd.array([None if k % 7 == 0 else k % 11 for k in range(ROWS)], dtype="Int64"),
            "flag": pd.array([None if k % 5 == 0 else bool(k % 2) for k in range(ROWS)], dtype="boolean"),
            "code": pd.Categorical([None if k % 9 == 0 else k % 3 for k in range(ROWS)]),
            "word": random.choice(["a", "b", "c d"], ROWS),
            "day": [day.date() for day in days],
            "time": days,
            "zone": days.dt.tz_localize("America/New_York"),
        }
    )
    frame.loc[3, "float"] = None
    return frame


def write_number(value: float, decimal: str, thousands: str) -> str:
    text = f"{value:,.2f}".replace(",", "t").replace(".", "d")
    return text.replace("t", thousands).replace("d", decimal)


def make_written() -> pd.DataFrame:
    """Return columns of text in many readings, some cells of which are missing or padded."""
    random = np.random.default_rng(1)
    numbers, days = random.normal(size=ROWS) * 5000, pd.date_range("2023-11-01 00:30", periods=ROWS, freq="31h")
    offsets = ["+02:00", "-0530", "Z", "+00:00", " -03"]
    frame = pd.DataFrame(
        {
            "comma": [write_number(v, ",", "") for v in numbers],
            "german": [write_number(v, ",", ".") for v in numbers],
            "swiss": [write_number(v, ".", "'") for v in numbers],
            "blank": [write_number(v, ",", "\u00a0") for v in numbers],
            "dollar": [f"${write_number(abs(v), '.', ',')}" for v in numbers],
            "euro": [f"{write_number(v, ',', '.')} €" for v in numbers],
            "percent": [f"{v:.1f} %" for v in random.uniform(0, 100, ROWS)],
            "dayfirst": days.strftime("%d/%m/%Y"),
            "american": days.strftime("%m/%d/%Y %I:%M %p"),
            "zoned": [day.isoformat() + offsets[k % 5] for k, day in enumerate(days)],
            "flag": random.choice(["TRUE", "false", "True"], ROWS),
            "code": [f"{k % 4:03}" for k in range(ROWS)],
            "word": random.choice(["red", "blue ", "k.A."], ROWS),
        }
    ).astype(object)
    frame.loc[5, "german"], frame.loc[6, "comma"], frame.loc[7, "zoned"], frame.loc[8, "flag"] = (
        "k.A.",
        "NA",
        "",
        "k.A.",
    )
    frame.loc[9, "percent"], frame.loc[10, "word"] = "k.A.", ""
    return frame


def run_card(model: Path, table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return the answers of the code on the model card for ``table``."""
    found = re.search(r"```python\n(.*?)```", (model / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert found
    monkeypatch.chdir(model.parent)
    space: dict[str, Any] = {"table": table}
    exec(found[1].replace('"model', f'"{model.name}'), space)
    answers: dict[str, Any] = space["answers"]
    return answers


@pytest.mark.parametrize("name", ["typed", "written"])
def test_all_ways_give_the_same_answer(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyarrow")
    frame = make_typed() if name == "typed" else make_written()
    numbers = frame[frame.columns[0]].map(lambda cell: float(re.sub("[^0-9.,-]", "", str(cell)).replace(",", ".") or 0))
    y = np.where(numbers > 0, "up", "down")
    keywords = FEW if name == "typed" else {**FEW, "missing": ["k.A."]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = regzoo.compare(frame, y, **keywords)
        model = Path(result.export(tmp_path / "m"))
    recipe = json.loads((model / "recipe.json").read_text(encoding="utf-8"))
    assert set(recipe["inputs"].values()) == set(frame.columns)  # none is dropped
    expected = regzoo.predict(model, frame)
    assert list(expected.columns) == ["label", "probability_down", "probability_up"]
    assert np.ptp(expected["probability_up"]) > 0.02  # the rows have different answers
    frame.to_csv(tmp_path / "rows.csv", index=False)
    frame.to_parquet(tmp_path / "rows.parquet")
    read = pd.read_csv(tmp_path / "rows.csv", keep_default_na=name == "typed", dtype=None if name == "typed" else str)
    ways = {
        "again": regzoo.predict(model, read),
        "parquet": regzoo.predict(model, pd.read_parquet(tmp_path / "rows.parquet")),
    }
    for suffix in ("csv", "parquet"):
        stream = io.StringIO()
        assert predict_file(model, tmp_path / f"rows.{suffix}", stream, notify=lambda _: None) == ROWS
        ways[f"predict {suffix}"] = pd.read_csv(io.StringIO(stream.getvalue()))
    for table_name, table in (("frame", frame), ("read", read)):
        answers = run_card(model, table, monkeypatch)
        ways[f"card {table_name}"] = pd.DataFrame(
            {"label": answers["label"].numpy().astype(str), "probability_up": answers["probabilities"].numpy()[:, 1]}
        )
    for way, found in ways.items():
        assert found["label"].tolist() == expected["label"].tolist(), way
        np.testing.assert_allclose(found["probability_up"], expected["probability_up"], atol=1e-5, err_msg=way)
