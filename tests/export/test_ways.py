"""Round trip without training: for columns of any type and reading, all ways give the graph the training features.

The ways are a CSV file, a Parquet file, a DataFrame, the same read back by pandas, and the code on the model card.
"""

from __future__ import annotations

import datetime
import importlib.util
import json
import re
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from regzoo.config import SplitConfig
from regzoo.core.errors import InputError
from regzoo.data.columns import rule_to_json
from regzoo.data.input_form import InputForm
from regzoo.data.preprocess import prepare_fold
from regzoo.data.reading.reading import ReadingKeys
from regzoo.data.sources import from_arrays
from regzoo.data.table import MISSING
from regzoo.export.exported_model import _from_json
from regzoo.export.formats import FORMATS
from regzoo.export.input_rows import read_chunks, read_frame_chunks
from regzoo.export.saved_model import ServedModel
from regzoo.export.signature import make_input_specs, name_inputs
from regzoo.export.snippets import make_call

N = 60
PART = np.array(["train", "train", "train", "train", "validation", "test"] * 10)
Y = np.array(["a", "b"] * (N // 2))
RNG = np.random.default_rng(0)
NUMBERS = RNG.normal(size=N).round(3)
WITH_ARROW = importlib.util.find_spec("pyarrow") is not None


def leave_gaps(values: Any) -> list[Any]:
    """Return ``values`` with some missing, in the training part and outside of it."""
    return [None if row % 13 == 4 else value for row, value in enumerate(values)]


def write(moments: Any, form: str) -> list[str]:
    return [moment.strftime(form) for moment in moments]


class Served:
    """The graph of the preprocessing, fitted on the training rows of a table, and what it takes."""

    def __init__(self, x: pd.DataFrame, **keys: Any) -> None:
        data = from_arrays(x, Y, part=PART, form=InputForm(keys=ReadingKeys(**keys)))
        self.prepared = prepare_fold(data, SplitConfig(), 0)
        self.preprocessor = self.prepared.preprocessor
        self.specs = make_input_specs(self.preprocessor)
        features = [getattr(self.prepared, part)[0] for part in ("train", "validation", "test")]
        self.features = np.empty((N, features[0].shape[1]), np.float32)
        for part, values in zip(("train", "validation", "test"), features, strict=True):
            self.features[part == PART] = values
        values = {
            "labels": ["a", "b"], "inputs": name_inputs(self.preprocessor), "missing": list(MISSING),
            "dtypes": {name: spec.dtype.name for name, spec in self.specs.items()},
            "shapes": {name: [] for name in self.specs},
            "rules": [rule_to_json(rule) for rule in self.preprocessor.rules],
        }  # fmt: skip
        self.recipe = json.loads(json.dumps(values))
        self.model = _from_json(Path("model"), self.recipe, None)  # type: ignore[arg-type]  # no files
        preprocess = ServedModel(None, self.preprocessor).preprocess
        self.graph = tf.function(lambda given: preprocess(given), input_signature=[self.specs])

    def serve(self, chunks: Any) -> Any:
        """Return the features of all rows in ``chunks``."""
        given = [{name: tf.constant(chunk[name], spec.dtype) for name, spec in self.specs.items()} for chunk in chunks]
        return np.concatenate([self.graph(one).numpy() for one in given])

    def serve_file(self, path: Path) -> Any:
        return self.serve(read_chunks(self.model, path, "utf-8-sig", lambda _: None))

    def serve_frame(self, frame: pd.DataFrame) -> Any:
        return self.serve(read_frame_chunks(self.model, frame, "frame", lambda _: None))

    def run_card(self, table: pd.DataFrame) -> Any:
        """Return what the code on the card makes of ``table``; the graph stands for the model."""
        code = make_call(self.preprocessor, FORMATS["saved_model"])
        code = re.sub(r"(?m)^(model = |with open|    recipe = ).*\n", "", code)
        serve = SimpleNamespace(signatures={"serving_default": lambda **given: self.graph(given).numpy()})
        space: dict[str, Any] = {"table": table, "recipe": self.recipe, "model": serve}
        exec(code, space)
        return space["answers"]


def make_typed() -> pd.DataFrame:
    """Return columns of many types, most of them with gaps."""
    days = pd.Series(pd.date_range("2023-12-31 20:00", periods=N, freq="31h"))
    clocks = [datetime.time(k % 24, (7 * k) % 60, k % 60, 1000 * k) for k in range(N)]
    lengths = [datetime.timedelta(minutes=97 * k - 900, milliseconds=k) for k in range(N)]
    frame = pd.DataFrame(
        {
            "float32": NUMBERS.astype(np.float32), "large": 1.7e9 + NUMBERS, "huge": 2**53 + 1 + 2 * np.arange(N),
            "unsigned": np.uint64(2**63) + np.arange(N, dtype=np.uint64) * np.uint64(2**40),
            "whole": pd.array(leave_gaps(range(N)), dtype="Int64"), "flag": leave_gaps([bool(v > 0) for v in NUMBERS]),
            "nullable": pd.array(leave_gaps([bool(v > 0) for v in NUMBERS]), dtype="boolean"),
            "class": pd.Categorical(leave_gaps([k % 3 for k in range(N)])),
            "yes": pd.Categorical(leave_gaps([bool(v > 0) for v in NUMBERS])),
            "words": leave_gaps(["x", "y ", "z"] * 20), "decimal": leave_gaps([Decimal(str(v)) for v in NUMBERS]),
            "moment": days, "zone": leave_gaps(days.dt.tz_localize("America/New_York")),
            "day": leave_gaps([day.date() for day in days]),
            "milliseconds": pd.date_range("2024", periods=N, freq="7ms"),
            "nanoseconds": pd.date_range("2024", periods=N, freq="7ns"),
            "clock": clocks, "some clocks": leave_gaps(clocks),
            "length": pd.Series(lengths), "some lengths": pd.Series(leave_gaps(lengths), dtype=object),
            "nanos": pd.to_timedelta(np.arange(N) * 7, unit="ns"),
        }
    )  # fmt: skip
    if WITH_ARROW:
        import pyarrow as pa

        for name, cells, kind in (
            ("arrow ns", frame["nanoseconds"], pa.timestamp("ns")),
            ("arrow zone", frame["zone"], pa.timestamp("us", "Asia/Tokyo")),
            ("arrow time", clocks, pa.time64("us")), ("arrow length", lengths, pa.duration("ms")),
            ("arrow flag", leave_gaps([k % 2 == 0 for k in range(N)]), pa.bool_()),
        ):  # fmt: skip
            present = [None if cell is None or cell is pd.NaT else cell for cell in cells]
            frame[name] = pd.Series(pa.array(present, kind), dtype=pd.ArrowDtype(kind))
    return frame


def make_written() -> pd.DataFrame:
    """Return columns of text in many readings, with gaps."""
    days = pd.date_range("2023-11-01 00:30:15", periods=N, freq="31h")
    lengths = [pd.Timedelta(minutes=97 * k - 900) for k in range(N)]
    columns = {
        "comma": [f"{v:.3f}".replace(".", ",") for v in NUMBERS], "dollar": [f"${k * 977:,}.5" for k in range(N)],
        "percent": [f"{v:.1f} %" for v in NUMBERS], "kg": [f"{v} kg" for v in NUMBERS],
        "km": [f"{k}e1km" for k in range(N)],
        "german": [f"{k * 977 / 8} °C".replace(".", ",") for k in range(N)], "blank": [f"\u00a0{v}" for v in NUMBERS],
        "minus": [str(v).replace("-", "\u2212") for v in NUMBERS],
        "month": write(days, "%d %b %Y"), "long": write(days, "%B %d, %Y %I:%M %p"),
        "mail": write(days.tz_localize("Asia/Tokyo"), "%a, %d %b %Y %H:%M:%S %z"),
        "first": write(days, "%d/%m/%Y %H:%M:%S.25"),
        "utc": [f"{d.isoformat()}{'Z' * (k % 3 > 0)}" for k, d in enumerate(days)],
        "fine": [d.isoformat() for d in pd.date_range("2024", periods=N, freq="1037us")],
        "hm": write(days, "%H:%M"), "hms": write(days, "%H:%M:%S"), "am": write(days, "%I:%M %p"),
        "ams": write(days, "%I:%M:%S%p"), "pandas": [str(v) for v in lengths],
        "python": [str(v.to_pytimedelta()) for v in lengths], "over": [f"{k}:30" for k in range(N)],
    }  # fmt: skip
    return pd.DataFrame({name: pd.Series(leave_gaps(cells), dtype=object) for name, cells in columns.items()})


def check_ways(served: Served, frame: pd.DataFrame, folder: Path, dtype: Any = None) -> None:
    """Check that all ways give the training features; ``dtype``: what pandas reads a CSV file as."""
    assert {rule.name for rule in served.preprocessor.rules} == set(frame.columns)  # none is left out
    frame.to_csv(folder / "rows.csv", index=False)
    read = pd.read_csv(folder / "rows.csv", dtype=dtype, keep_default_na=dtype is None)
    found = {
        "frame": served.serve_frame(frame), "reversed": served.serve_frame(frame[::-1])[::-1],
        "csv": served.serve_file(folder / "rows.csv"), "read csv": served.serve_frame(read),
        "card": served.run_card(frame), "card of csv": served.run_card(read),
        "one row": np.concatenate([served.serve_frame(frame[row : row + 1]) for row in range(3)]),
    }  # fmt: skip
    if WITH_ARROW:
        frame.to_parquet(folder / "rows.parquet")
        found["parquet"] = served.serve_file(folder / "rows.parquet")
    for way, features in found.items():
        np.testing.assert_allclose(features, served.features[: len(features)], atol=1e-5, err_msg=way)


@pytest.mark.slow
def test_columns_of_any_type(tmp_path: Path) -> None:
    frame = make_typed()
    check_ways(Served(frame), frame, tmp_path)


@pytest.mark.slow
def test_text_in_any_reading(tmp_path: Path) -> None:
    frame = make_written()
    check_ways(Served(frame), frame, tmp_path, str)


def test_a_word_that_is_missing_in_one_column_is_a_category_of_another(tmp_path: Path) -> None:
    odd = [f"{v:.3f}".replace(".", ",") if row % 7 else "soon" for row, v in enumerate(NUMBERS)]
    frame = pd.DataFrame({"odd": odd, "word": ["soon", "late", "never"] * 20}, dtype=object)
    served = Served(frame, decimal=",")
    assert served.preprocessor.rules[1].features == ("word = late", "word = never", "word = soon")
    check_ways(served, frame, tmp_path, str)


def test_times_of_day_have_one_meaning(tmp_path: Path) -> None:
    clocks = [datetime.time(k % 24, (7 * k) % 60, k % 60) for k in range(N)]
    frame = pd.DataFrame({"typed": clocks, "text": [f"{clock:%I:%M %p}" for clock in clocks]})
    served = Served(frame)
    check_ways(served, frame, tmp_path)
    seconds = np.array([3600 * clock.hour + 60 * clock.minute for clock in clocks], dtype=float)
    train = PART == "train"
    expected = (seconds - seconds[train].mean()) / seconds[train].std()
    np.testing.assert_allclose(served.features[:, 1], expected, atol=1e-5)
    np.testing.assert_allclose(served.serve_frame(frame.assign(text=seconds)), served.features, atol=1e-5)
    for wrong in ("17:05", "13:00 PM", "soon", "1.5"):
        with pytest.raises(InputError, match="takes times such as 5:00 PM, received"):
            served.serve_frame(frame.assign(text=wrong))


def test_a_share_is_no_percentage() -> None:
    served = Served(pd.DataFrame({"part": [f"{k / 2} %" for k in range(N)], "u": NUMBERS}))
    good = pd.DataFrame({"part": ["0.5 %", "12", "12.5%", ""], "u": 0.0})
    half, twelve = (served.features[row, 0] for row in (1, 24))
    np.testing.assert_allclose(served.serve_frame(good)[:2, 0], [half, twelve], atol=1e-6)
    for cells in (["0.126"], [0.126]):
        with pytest.raises(InputError, match=r"takes percentages, as text with the sign.*received '0.126' in row 1"):
            served.serve_frame(pd.DataFrame({"part": cells, "u": 0.0}))
        with pytest.raises(tf.errors.InvalidArgumentError, match="percentages with the sign"):
            served.run_card(pd.DataFrame({"part": cells, "u": 0.0}))


def test_floats_that_lost_their_last_digits_are_no_whole_numbers() -> None:
    whole = pd.array([2**60 + k for k in range(N)], dtype="Int64")
    served = Served(pd.DataFrame({"id": whole, "u": NUMBERS}))
    with pytest.raises(InputError, match="takes whole numbers to the last digit"):
        served.serve_frame(pd.DataFrame({"id": whole.to_numpy(np.float64), "u": NUMBERS}))


def test_booleans_are_the_categories_that_training_had() -> None:
    for words in (["True", "False", "?!"], ["true", "false", "?!"]):
        served = Served(pd.DataFrame({"flag": words * 20, "u": NUMBERS}))
        found = served.serve_frame(pd.DataFrame({"flag": [True, False], "u": NUMBERS[:2]}))
        np.testing.assert_allclose(found, served.features[:2], atol=1e-6)


def test_numbers_are_no_codes_with_zeros_in_front() -> None:
    served = Served(pd.DataFrame({"code": [f"{k % 4:03}" for k in range(N)], "u": NUMBERS}))
    with pytest.raises(InputError, match="takes words such as '000', received numbers such as 1; read the column as"):
        served.serve_frame(pd.DataFrame({"code": [1, 2], "u": 0.0}))


def test_infinite_text_is_an_error_of_the_graph() -> None:
    served = Served(pd.DataFrame({"part": [f"{k} %" for k in range(N)], "u": NUMBERS}))
    frame = pd.DataFrame({"part": ["1e400 %"], "u": 0.0})
    for way, error in ((served.serve_frame, InputError), (served.run_card, tf.errors.InvalidArgumentError)):
        with pytest.raises(error, match=r"takes numbers up to 1e\+30"):
            way(frame)
