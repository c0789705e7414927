"""Rows of every type get the same answers from a DataFrame, a Parquet file and a CSV file."""

from __future__ import annotations

import datetime
import enum
import importlib.util
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import pytest

import regzoo
from regzoo.export.input_cells import InputColumn
from regzoo.export.input_rows import _convert
from regzoo.export.predict import predict_file

ROWS = 60
WITH_ARROW = importlib.util.find_spec("pyarrow") is not None


class Color(enum.Enum):
    """Members whose values are text."""

    RED = "red"
    BLUE = "blue"


def draw_frame(arrow: bool) -> pd.DataFrame:
    """Return columns of all types, some cells missing; with ``arrow`` also those of Arrow."""
    random = np.random.default_rng(0)
    numbers, kinds = random.normal(size=ROWS).round(3), random.integers(0, 2, size=ROWS)
    days = [datetime.date(2024, 1, 1) + datetime.timedelta(int(day)) for day in random.integers(0, 300, size=ROWS)]
    moments = pd.Series(pd.to_datetime(days)) + pd.to_timedelta(random.integers(0, 86400, size=ROWS), unit="s")
    columns: dict[str, Any] = {
        "decimal": [Decimal(str(number)) for number in numbers],
        "fraction": [Fraction(int(number * 8), 8) for number in numbers],
        "whole": pd.array(random.integers(0, 99, size=ROWS), dtype="Int16"),
        "real": pd.array(numbers, dtype="Float64"),
        "maybe": pd.array(kinds == 1, dtype="boolean"),
        "bytes": [b"red" if kind else b"blue" for kind in kinds],
        "path": [Path("a/b") if kind else Path("c") for kind in kinds],
        "color": [Color.RED if kind else Color.BLUE for kind in kinds],
        "who": [UUID(int=int(kind)) for kind in kinds],
        "day": days,
        "moment": moments,
        "zoned": moments.dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo"),
        "month": pd.PeriodIndex(moments, freq="D"),
        "size": pd.cut(numbers, [-9, 0, 9]),
        "class": pd.Categorical(random.choice(["1", "2"], size=ROWS)),
        "sparse": pd.arrays.SparseArray(numbers),
    }
    frame = pd.DataFrame(columns)
    for number, column in enumerate([c for c in columns if c not in ("sparse", "zoned")]):
        frame.loc[number, column] = None
    if arrow:
        import pyarrow as pa

        types = {"moment": pa.timestamp("ms"), "decimal": pa.decimal128(9, 3), "path": pa.large_string()}
        types["class"] = pa.dictionary(pa.int8(), pa.string())
        for column, kind in types.items():
            cells = frame[column].astype(str).where(frame[column].notna(), None) if column == "path" else frame[column]
            typed = pa.array(cells.astype(object).where(cells.notna(), None).tolist(), kind)
            frame[f"arrow {column}"] = pd.Series(typed, dtype=pd.ArrowDtype(typed.type))
    return frame


@pytest.mark.parametrize(
    ("kind", "cells", "served"),
    [
        ("date", np.array(["2024-01-31", "2024-02-01T17:05"], dtype="datetime64[ns]"), [
            "2024-01-31T00:00:00", "2024-02-01T17:05:00"]),
        ("numeric", np.array([90, 60], dtype="timedelta64[m]"), [5400.0, 3600.0]),
        ("categorical", np.array([b"red", b"blue"]), ["red", "blue"]),
    ],
)  # fmt: skip
def test_arrays_of_an_archive_mean_what_they_hold(kind: str, cells: Any, served: list[Any]) -> None:
    assert _convert(InputColumn(kind, "rows.npz: column 'c'"), cells, 0).tolist() == served


@pytest.mark.slow
def test_answers_are_the_same_from_a_frame_a_parquet_file_and_a_csv_file(tmp_path: Path) -> None:
    frame = draw_frame(WITH_ARROW)
    y = [datetime.date(2024, 1, 1 + int(day)) for day in frame["class"] == "1"]
    timed = frame.assign(took=pd.to_timedelta(np.arange(ROWS), unit="h"))
    result = regzoo.compare(
        timed, y, out=tmp_path / "typed", backbone="mlp([8])", recipes=["none"], replicates=2,
        search={"trials": 1}, training={"epochs": 3}, workers=0,
    )  # fmt: skip
    model = result.folder / "model"
    answers = regzoo.predict(model, timed)
    assert set(answers["label"]) <= {"2024-01-01", "2024-01-02"}
    probability = answers["probability_2024-01-01"].to_numpy()
    assert probability.std() > 0
    np.testing.assert_allclose(
        regzoo.predict(model, timed[::-1])["probability_2024-01-01"][::-1], probability, atol=1e-6
    )

    spoken = timed.assign(
        color=timed["color"].map(lambda color: color.value, na_action="ignore"),
        bytes=timed["bytes"].map(bytes.decode, na_action="ignore"),
        fraction=timed["fraction"].map(float, na_action="ignore"),
    )
    spoken.to_csv(tmp_path / "rows.csv", index=False)
    files = ["rows.csv"]
    if WITH_ARROW:
        storable = spoken.assign(size=spoken["size"].cat.rename_categories(str), took=timed["took"])
        for column in ("path", "who"):
            storable[column] = spoken[column].astype(object).map(str, na_action="ignore")
        storable.assign(sparse=np.asarray(spoken["sparse"])).to_parquet(tmp_path / "rows.parquet")
        files.append("rows.parquet")
    for name in files:
        predict_file(model, tmp_path / name, tmp_path / f"{name}.out.csv", notify=lambda _: None)
        found = pd.read_csv(tmp_path / f"{name}.out.csv")
        assert found["label"].tolist() == answers["label"].tolist(), name
        np.testing.assert_allclose(found["probability_2024-01-01"], probability, atol=1e-5, err_msg=name)
