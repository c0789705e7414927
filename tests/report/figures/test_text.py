"""Text in figures: widths, line breaks, and labels without overlap."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from regzoo.report.figures._text import measure_width, spread_labels, wrap_text


def test_wrapped_lines_fit() -> None:
    text = wrap_text("dropout(rate=linear(0.5,0.0,epochs=20)) + gaussian_noise + l2", 1.2, most=9)
    assert all(measure_width(line) <= 1.2 for line in text.split("\n"))
    assert "".join(text.split()) == "dropout(rate=linear(0.5,0.0,epochs=20))+gaussian_noise+l2"


def test_too_many_lines_end_in_dots() -> None:
    text = wrap_text("one two three four five six seven", 0.4, most=2)
    assert text.count("\n") == 1
    assert text.endswith("…")
    assert measure_width(text) <= 0.4


@pytest.mark.parametrize("seed", range(5))
def test_spread_keeps_order_and_distance(seed: int) -> None:
    rng = np.random.default_rng(seed)
    wanted, sizes = rng.uniform(0, 10, 12).tolist(), rng.uniform(0.2, 0.8, 12).tolist()
    found = spread_labels(wanted, sizes, 0.0, 10.0)
    order = np.argsort(wanted)
    for a, b in itertools.pairwise(order):
        assert found[b] - found[a] >= (sizes[a] + sizes[b]) / 2 - 1e-6
    assert min(f - s / 2 for f, s in zip(found, sizes, strict=True)) >= -1e-9
    assert max(f + s / 2 for f, s in zip(found, sizes, strict=True)) <= 10 + 1e-9


def test_labels_with_room_stay() -> None:
    assert spread_labels([1.0, 5.0, 9.0], [1.0, 1.0, 1.0], 0.0, 10.0) == [1.0, 5.0, 9.0]
