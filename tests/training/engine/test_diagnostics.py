"""Diagnostics: numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

import regzoo
from regzoo.training.engine.diagnostics import compute_reliability, compute_weight_histogram, select_kernels
from regzoo.training.task import Task


def test_reliability_by_hand() -> None:
    p = np.array([[0.95, 0.05], [0.94, 0.06], [0.5, 0.5], [0.05, 0.95]])
    y = np.array([[1, 0], [0, 1], [1, 0], [0, 1]])
    bins = compute_reliability(Task("classification", 2), y, np.log(p))
    assert bins is not None
    first, second = bins
    assert first == pytest.approx([0.5, 1.0, 1])
    assert second == pytest.approx([(0.95 + 0.94 + 0.95) / 3, 2 / 3, 3])
    assert compute_reliability(Task("regression", 1), y[:, :1], p[:, :1]) is None


def test_the_weight_histogram_by_hand() -> None:
    found = compute_weight_histogram([np.array([[0.0, 0.5], [-0.5, 2.0]]), np.array([[1e-9, 1e-4, 100.0]])])
    counts = dict(zip(np.round(found["edges"], 2).tolist(), found["counts"], strict=False))
    assert {edge: count for edge, count in counts.items() if count} == {
        -6.0: 2,  # 0 and 1e-9
        -4.0: 1,  # 1e-4
        -0.5: 2,  # log10 of 0.5 is -0.30
        0.25: 1,  # log10 of 2 is 0.30
        0.75: 1,  # 100
    }
    assert found["small"] == pytest.approx(3 / 7)
    assert found["zero"] == pytest.approx(1 / 7)


def test_a_model_without_kernels_has_an_empty_histogram() -> None:
    assert sum(compute_weight_histogram([])["counts"]) == 0


def test_kernels_are_known_by_role(tensorflow: None) -> None:
    model = regzoo.build("transformer(width=4, heads=2, depth=1, hidden=5)", "none", (5,), 3)
    values = model.get_weights()
    shapes = [value.shape for value in select_kernels(model, values)]
    # The columns' vectors, not their biases of rank 2; query, key, value, out, two dense layers and the head.
    assert shapes == [(5, 4), (4, 4), (4, 4), (4, 4), (4, 4), (4, 5), (5, 4), (4, 3)]
