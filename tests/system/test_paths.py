"""Paths that are not UTF-8 text are refused before anything is read, wherever the bytes are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import regzoo
from regzoo.core import InputError
from regzoo.system.paths import require_utf8

ODD = os.fsdecode(b"a\xffb")


@pytest.mark.parametrize("path", [ODD, f"x/{ODD}/y", f"/{ODD}.csv"])
def test_bytes_that_are_no_text_are_refused(path: str) -> None:
    with pytest.raises(InputError, match="the path holds bytes that are not UTF-8 text"):
        require_utf8(path)


def test_the_working_directory_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ODD).mkdir()
    monkeypatch.chdir(tmp_path / ODD)
    with pytest.raises(InputError, match="not UTF-8 text"):
        require_utf8("config.yaml")
    require_utf8(tmp_path / "käse" / "config.yaml")


def test_python_refuses_them_before_anything_is_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    odd = Path(ODD)
    rows = [[1.0], [2.0]]
    for refused in (
        lambda: regzoo.compare(rows, [0, 1], backbone="mlp", recipes=["none"], out=odd),
        lambda: regzoo.compare(data={"csv": str(odd), "target": "y"}, backbone="mlp", recipes=["none"]),
        lambda: regzoo.Result(tmp_path).export(odd),
    ):
        with pytest.raises(InputError, match=r"a\\?\udcffb|a\\\\?udcffb"):
            refused()
    assert list(tmp_path.iterdir()) == []
