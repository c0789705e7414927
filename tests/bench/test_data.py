"""The rows of a case: real ones if they are installed, else random ones of the same shape."""

from __future__ import annotations

import dataclasses
import gzip
from pathlib import Path

import numpy as np
import pytest

from regzoo.bench import data
from regzoo.bench.plan import CASES

CONVNET = dataclasses.replace(CASES["convnet"], rows=60)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[np.ndarray, np.ndarray]:
    """100 images as Fashion-MNIST's files hold them."""
    random = np.random.default_rng(0)
    x, y = random.integers(0, 256, (100, 28, 28), np.uint8), (np.arange(100) % 10).astype(np.uint8)
    header = np.array([2051, 100, 28, 28], ">i4").tobytes()
    (tmp_path / data.IMAGES).write_bytes(gzip.compress(header + x.tobytes()))
    (tmp_path / data.LABELS).write_bytes(gzip.compress(header[:8] + y.tobytes()))
    monkeypatch.setattr(data, "FOLDERS", (tmp_path / "elsewhere", tmp_path))
    return x, y


def test_fashion_mnist_is_read_from_its_files(installed: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = installed
    dataset, source = data.load_rows(CONVNET)
    np.testing.assert_array_equal(dataset.x, x[:60, :, :, None])
    np.testing.assert_array_equal(dataset.y, y[:60])
    assert source == "Fashion-MNIST, its first 60 training images"


def test_where_it_is_not_installed_the_shapes_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "FOLDERS", ())
    dataset, source = data.load_rows(CONVNET)
    assert dataset.x.shape == (60, 28, 28, 1)
    assert dataset.y is not None
    assert set(dataset.y.tolist()) == set(range(10))
    assert "random" in source
    assert data.load_rows(CONVNET)[0].digest == dataset.digest
    assert data.load_rows(dataclasses.replace(CONVNET, name="other"))[0].digest != dataset.digest


def test_digits_come_with_scikit_learn() -> None:
    rows, source = data.prepare_rows(dataclasses.replace(CASES["digits"], rows=100))
    assert rows.train[0].shape == (60, 8, 8, 1)
    assert source == "scikit-learn's digits"
