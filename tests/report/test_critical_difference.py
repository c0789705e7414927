"""The critical-difference diagram: recipes, ranks and bars, for any number of recipes."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import regzoo
from regzoo.report.critical_difference import describe_ranks, draw


def ranked(recipes: list[str], datasets: int) -> regzoo.Ranking:
    """Return a ranking with the same order on every data set."""
    rows = [(name, 0, f"d{j}", float(i)) for i, name in enumerate(recipes) for j in range(datasets)]
    return regzoo.rank(pd.DataFrame(rows, columns=["recipe", "seed", "dataset", "score"]), baseline=None)


def test_names_ranks_and_bars() -> None:
    # Six data sets: the critical difference of three is 1.35, so neighbors are joined and the ends are not.
    found = ranked(["l2", "dropout(0.5)", "none"], 6).several
    assert found is not None
    axes = draw(found).axes[0]
    assert sorted(text.get_text() for text in axes.texts) == ["3.00  none", "dropout(0.5)  2.00", "l2  1.00"]
    bars = [np.sort(np.asarray(line.get_xdata(), float)) for line in axes.lines if line.get_linewidth() > 3]
    assert [list(np.round(bar, 6)) for bar in bars] == [[1, 2], [2, 3]]
    assert describe_ranks(found) == (
        "Average rank over 6 data sets (1 is best); critical difference 1.35: l2 1.00, dropout(0.5) 2.00 and none "
        "3.00. No significant difference: l2 to dropout(0.5) and dropout(0.5) to none."
    )


@pytest.mark.parametrize("recipes", [2, 20])
def test_long_names_with_the_same_beginning_stay_on_the_picture(recipes: int) -> None:
    found = ranked([f"dropout(0.312) + gaussian_noise(0.2) + l2(0.00021) {i}" for i in range(recipes)], 3).several
    assert found is not None
    figure = draw(found)
    figure.draw_without_rendering()
    width, height = figure.get_size_inches() * figure.dpi
    assert len(figure.axes[0].texts) == recipes
    for text in figure.axes[0].texts:
        box = text.get_window_extent()
        assert box.x0 >= -1
        assert box.y0 >= -1
        assert box.x1 <= width + 1
        assert box.y1 <= height + 1


def test_it_is_written_and_a_single_data_set_is_refused(tmp_path: Path) -> None:
    path = regzoo.critical_difference_diagram(ranked(["l2", "l1", "none"], 4), tmp_path / "ranks.svg")
    assert ElementTree.parse(path).getroot().tag.endswith("svg")
    with pytest.raises(regzoo.InputError, match=r"two data sets or more.*column 'dataset'"):
        regzoo.critical_difference_diagram(ranked(["l2", "none"], 1), tmp_path / "one.svg")
