"""Sweeps from Python: the table, the best recipe, the picture, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import regzoo

TINY: dict[str, Any] = {
    "backbone": "mlp(widths=[8])", "training": {"epochs": 2, "learning_rate": 0.01}, "replicates": 2, "workers": 0,
}  # fmt: skip


@pytest.fixture(scope="module")
def swept(tensorflow: None, sparing: Any, rows: Any) -> regzoo.SweepResult:
    with sparing():  # for this export alone: others of the session are proven
        return regzoo.sweep(*rows, over="dropout.rate", values=[0.5, 0, 0.25], **TINY)


def test_the_table_has_a_row_for_each_value(swept: regzoo.SweepResult) -> None:
    table = swept.table
    assert list(table["dropout.rate"]) == [0.0, 0.25, 0.5]
    assert list(table["replicates"]) == [2, 2, 2]
    assert table["best"].sum() == 1
    assert table.loc[table["best"], "mean"].item() == table["mean"].min()
    assert bool(table.loc[table["best"], "flat"].item())


def test_the_best_is_a_recipe_of_the_table(swept: regzoo.SweepResult) -> None:
    table = swept.table
    assert str(swept.best) == table.loc[table["best"], "name"].item()
    assert swept.response.best is not None
    assert swept.verdict.startswith(f"Best dropout.rate: {swept.response.best.values[0]:g}, ")


def test_it_is_a_comparison_too(swept: regzoo.SweepResult) -> None:
    assert set(swept.leaderboard["name"]) == {"none", "dropout(0.0)", "dropout(0.25)", "dropout(0.5)"}
    assert swept.model is not None


def test_the_picture_is_written_and_equal_calls_write_equal_bytes(swept: regzoo.SweepResult, tmp_path: Path) -> None:
    one, two = swept.figure(tmp_path / "one.svg"), swept.figure(str(tmp_path / "two.svg"))
    assert one.read_bytes() == two.read_bytes() != b""
    assert "dropout.rate" in one.read_text()


@pytest.mark.slow
@pytest.mark.usefixtures("tensorflow", "unverified")
def test_two_strengths(rows: Any, tmp_path: Path) -> None:
    options = TINY | {"training": {"epochs": 1, "learning_rate": 0.01}, "out": tmp_path / "two"}
    grid = regzoo.sweep(*rows, over=["dropout.rate", "l2.strength"], values=[[0, 0.5], [0, 0.1]], **options)
    table = grid.table
    points = list(zip(table["dropout.rate"], table["l2.strength"], strict=True))
    assert points == [(0.0, 0.0), (0.0, 0.1), (0.5, 0.0), (0.5, 0.1)]
    assert np.isfinite(table["mean"]).all()
    assert (tmp_path / "two" / "figures" / "sweep_grid.svg").is_file()
    assert grid.figure(tmp_path / "grid.png").read_bytes().startswith(b"\x89PNG")


def test_what_is_wrong_is_refused_before_anything_is_trained(rows: Any, tmp_path: Path) -> None:
    with pytest.raises(regzoo.InputError, match=r"values: dropout\.rate must lie in \[0, 1\], received -1"):
        regzoo.sweep(*rows, over="dropout.rate", values=[0, -1], out=tmp_path / "no", **TINY)
    with pytest.raises(regzoo.InputError, match="give x and y"):
        regzoo.sweep(over="dropout.rate", **TINY)
    assert not (tmp_path / "no").exists()


def test_a_comparison_that_is_no_sweep_says_so(finished: Any) -> None:
    with pytest.raises(regzoo.InputError, match="holds a comparison that is no sweep"):
        _ = regzoo.SweepResult(finished.folder).table
