"""Parquet files: read like CSV files if pyarrow is installed; else the error names the way out."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from regzoo.config import from_keywords
from regzoo.core.errors import InputError
from regzoo.data.sources import load_dataset
from regzoo.data.sources.parquet import ENGINE, load_parquet
from regzoo.data.table import Table

FRAME = pd.DataFrame({"n": [1.5, None], "w": ["a", "b"], "y": ["no", "yes"]})
INSTALLED = importlib.util.find_spec(ENGINE) is not None


def test_without_pyarrow_the_error_names_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match=r"Parquet files need pyarrow: pip install 'regzoo\[parquet\]', or save"):
        load_parquet(tmp_path / "a.parquet", "y")


def test_a_missing_file_is_reported() -> None:
    with pytest.raises(InputError, match="there is no such file"):
        load_parquet(Path("nowhere.parquet"), "y")


def test_columns_are_divided_into_inputs_and_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether or not pyarrow is installed: pandas returns a table with typed columns."""
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: True)
    monkeypatch.setattr("regzoo.data.sources.parquet.require_parquet_memory", lambda path: None)
    monkeypatch.setattr(pd, "read_parquet", lambda path, **_: FRAME)
    path = str(tmp_path / "a.parquet")
    data = load_dataset(from_keywords(data={"parquet": path, "target": "y"}, backbone="mlp", recipes=["none"]).data)
    assert isinstance(data.x, Table)
    assert (data.x.tolist(), data.y.tolist()) == ([[1.5, "a"], [None, "b"]], ["no", "yes"])  # type: ignore[union-attr]
    with pytest.raises(InputError, match="there is no column 'z' to predict"):
        load_parquet(tmp_path / "a.parquet", "z")


def test_other_files_are_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Any, **_: Any) -> None:
        raise ValueError("magic bytes not found")

    (tmp_path / "a.parquet").write_bytes(b"a,b\n")
    if not INSTALLED:  # pyarrow's own error is of this kind
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: True)
        monkeypatch.setattr("regzoo.data.sources.parquet.require_parquet_memory", lambda path: None)
        monkeypatch.setattr(pd, "read_parquet", refuse)
    with pytest.raises(InputError, match="cannot be read as Parquet: "):
        load_parquet(tmp_path / "a.parquet", "y")


def test_roles_and_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0, 3.0], "who": ["p", "p", "q"], "when": pd.to_datetime(["2024-01-03"] * 3)})
    frame["kind"] = ["x", "y", "x"]
    train, test = tmp_path / "train.parquet", tmp_path / "test.parquet"
    for path in (train, test):
        path.write_bytes(b"PAR1")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: True)
    monkeypatch.setattr("regzoo.data.sources.parquet.require_parquet_memory", lambda path: None)
    monkeypatch.setattr(pd, "read_parquet", lambda path, **_: frame if path == train else frame[::-1])
    data = load_parquet(train, "kind", {"group": "who", "time": "when"}, {"test": test})
    assert data.columns == ("a",)
    assert data.group is not None
    assert data.group.tolist() == ["p", "p", "q", "q", "p", "p"]
    assert data.part is not None
    assert data.part.tolist() == ["", "", "", "test", "test", "test"]
    assert load_parquet(train, "kind", drop=("who", "when")).columns == ("a",)
