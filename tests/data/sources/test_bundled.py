"""Bundled data sets: real, offline, in original units."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn import datasets

from regzoo.config import from_keywords, read_config
from regzoo.core.errors import InputError
from regzoo.data.catalog import BUNDLED, SOURCES
from regzoo.data.dataset import Dataset
from regzoo.data.sources import load_dataset
from regzoo.data.sources.bundled import load_bundled


@pytest.mark.parametrize(
    ("name", "shape", "task", "labels"),
    [
        ("digits", (1797, 8, 8, 1), "classification", set(range(10))),
        ("iris", (150, 4), "classification", {"setosa", "versicolor", "virginica"}),
        ("wine", (178, 13), "classification", {"class_0", "class_1", "class_2"}),
        ("breast_cancer", (569, 30), "classification", {"malignant", "benign"}),
        ("diabetes", (442, 10), "regression", None),
    ],
)
def test_shapes_tasks_and_labels(name: str, shape: tuple[int, ...], task: str, labels: set[object] | None) -> None:
    data = load_bundled(name)
    assert (data.x.shape, data.task, data.name) == (shape, task, name)
    assert data.y is not None
    assert labels is None or set(data.y.tolist()) == labels
    assert data.columns is None if name == "digits" else len(data.columns or ()) == shape[1]


def test_the_catalog_names_them_all() -> None:
    assert {load_bundled(name).name for name in BUNDLED} == set(BUNDLED)


def test_every_source_is_a_data_section_that_a_config_takes() -> None:
    for form in SOURCES:
        section = read_config(f"name: a\ndata: {form}\nbackbone: mlp\nrecipes: [l2]\n").data
        assert form.strip("{}").split(":")[0] in section.model_fields_set


def test_pixels_and_patients_are_raw() -> None:
    digits = load_bundled("digits").x
    assert isinstance(digits, np.ndarray)
    assert (digits.min(), digits.max()) == (0.0, 16.0)
    diabetes = load_bundled("diabetes")
    assert diabetes.columns is not None
    assert isinstance(diabetes.x, np.ndarray)
    assert diabetes.x[:, diabetes.columns.index("age")].min() == 19.0


def test_labels_belong_to_their_rows() -> None:
    source = datasets.load_breast_cancer()
    data = load_bundled("breast_cancer")
    assert data.y is not None
    assert data.y.tolist() == source.target_names[source.target].tolist()


def test_an_unknown_name_is_rejected() -> None:
    with pytest.raises(InputError, match=r"no bundled data set 'irsi'\. Did you mean 'iris'\?"):
        load_bundled("irsi")


def test_a_config_names_its_source(tmp_path: Path) -> None:
    def load(**data: object) -> Dataset:
        return load_dataset(from_keywords(data=data, backbone="mlp", recipes=["l2"]).data)

    assert load(source="iris") is load_bundled("iris")
    (tmp_path / "a.csv").write_text("a,y\n1,0\n2,1\n", encoding="utf-8")
    assert load(csv=tmp_path / "a.csv", target="y").target == "y"
    with pytest.raises(InputError, match=r"a\.npz: there is no such file"):
        load(npz=tmp_path / "a.npz")
    with pytest.raises(InputError, match="passed in Python"):
        load_dataset(from_keywords(backbone="mlp", recipes=["l2"]).data)
