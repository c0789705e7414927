"""Keys of ``data`` about how cells of text are read: accepted as written, kept in the resolved config."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from regzoo.config import from_keywords, read_config
from regzoo.core.errors import InputError
from regzoo.data.inputs import InputSpec
from regzoo.data.reading.reading import ReadingKeys
from regzoo.data.sources.arrays import from_arrays

CONFIG = "name: a\ndata: {csv: a.csv, target: y, %s}\nbackbone: mlp\nrecipes: [none]\n"


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ('decimal: ","', ReadingKeys(decimal=",")),
        ('decimal: ".", thousands: " "', ReadingKeys(".", " ")),
        ("dates: day first", ReadingKeys(dates="day first")),
        ("missing: k.A.", ReadingKeys(missing=("k.A.",))),
        ("missing: [no, -999, 1.50, ' x ', x]", ReadingKeys(missing=("no", "-999", "1.50", "x"))),
    ],
)
def test_keys_are_read_as_written(keys: str, expected: ReadingKeys) -> None:
    experiment = read_config(CONFIG % keys)
    assert experiment.data.form.keys == expected
    assert read_config(experiment.to_yaml()).data == experiment.data


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("decimal: ;", "data.decimal: takes one of ., ,"),
        ('decimal: ",", thousands: ","', "decimal and thousands are both ','; a mark means one of them"),
        (
            "dates: dayfirst",
            "takes one of year first, day first, month first, received dayfirst. Did you mean",
        ),
        ("missing: [[a]]", "data.missing"),
    ],
)
def test_other_values_are_refused(keys: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read_config(CONFIG % keys)
    assert message in str(caught.value)


@pytest.mark.parametrize("x", [np.zeros((4, 2)), {"a": [1.0, 2.0, 3.0, 4.0]}])
def test_keys_that_nothing_reads_are_refused(x: Any) -> None:
    form = from_keywords(backbone="mlp", recipes=["none"], missing=[-999]).data.form
    inputs = (InputSpec("a", (), "float32"),) if isinstance(x, dict) else None
    with pytest.raises(InputError, match=r"data\.missing says how the columns of a table are read"):
        from_arrays(x, [0.5, 1.5, 2.5, 3.5], inputs=inputs, form=form)


def test_frames_take_the_keys_too() -> None:
    given: dict[str, Any] = {"decimal": ",", "missing": ["x", -9]}
    data = from_keywords(backbone="mlp", recipes=["none"], **given).data
    assert data.form.keys == ReadingKeys(decimal=",", missing=("x", "-9"))
    with pytest.raises(InputError, match="decimal goes with csv or parquet, received it with npz; take it out"):
        read_config("name: a\ndata: {npz: a.npz, decimal: ','}\nbackbone: mlp\nrecipes: [none]\n")
