"""Parquet files: read like CSV files if pyarrow is installed; else the error names the way out."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
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


CORRUPTED = """
import random
import sys
from pathlib import Path

from regzoo.core.errors import InputError
from regzoo.data.sources.parquet import read_parquet

path, read, refused = Path(sys.argv[1]), 0, 0
whole = path.read_bytes()
footer = int.from_bytes(whole[-8:-4], "little") + 8
for place in range(1, footer + 1):
    content = bytearray(whole)
    content[-place] ^= 2 if place % 3 else random.Random(place).randint(1, 255)  # 2 makes columns required, or not
    path.write_bytes(content)
    try:
        read_parquet(path)
        read += 1
    except InputError:
        refused += 1
assert read > 20 and refused > 200, (read, refused)
"""


@pytest.mark.slow
def test_no_corrupted_file_ends_the_process(tmp_path: Path) -> None:
    """Errors of C++ that pyarrow lets through would: so in a process of its own."""
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    columns = {"a": [n * 1.5 for n in range(50)], "b": [n or None for n in range(50)], "c": ["red", "green"] * 25}
    table = arrow.table({**columns, "l": [[1, 2]] * 50})
    parquet.write_table(table, tmp_path / "a.parquet", row_group_size=30, store_schema=False)
    command = [sys.executable, "-c", CORRUPTED, str(tmp_path / "a.parquet")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_dotted_name_and_nested_columns_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    from regzoo.data.sources import parquet_memory

    table = arrow.table({"a.b": [1.0, 2.0], "a": [{"b": 1}, {"b": 2}], "y": ["no", "yes"]})
    parquet.write_table(table, tmp_path / "a.parquet")
    parquet_memory.require_parquet_memory(tmp_path / "a.parquet")
    monkeypatch.setattr(parquet_memory, "get_available_memory", lambda: 100)
    with pytest.raises(InputError, match="holds a table that takes at least"):
        parquet_memory.require_parquet_memory(tmp_path / "a.parquet")
