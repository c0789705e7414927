"""Column preprocessing in TensorFlow: for any cell, the graph computes the features that training computed."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from regzoo.config import SplitConfig
from regzoo.data.columns import Boolean, Categorical, ColumnRule, Date, Numeric
from regzoo.data.columns import compute_features as compute_numpy
from regzoo.data.preprocess import prepare_fold
from regzoo.data.sources.arrays import from_arrays
from regzoo.data.table import MISSING, Table, clean_cell
from regzoo.export.saved_model import ServedModel
from regzoo.export.signature import split_inputs
from regzoo.export.tf_columns import apply_rules

WORDS = ["a", "b", "A", " a\t", "ä", "=1+1", "<b>", "x" * 5000, "new", "a b", "\u00a0a", "a\x1b", *MISSING]
DAYS = [(datetime.date(1600, 1, 1) + datetime.timedelta(days=d)).isoformat() for d in range(0, 250_000, 487)]
DATES = [
    *DAYS,
    *("2024-02-29", "2024-2-9", "2024/12/31", "31.12.2024", "1.1.2024 7:05", "2024.1.31", "0001-01-01", "9999-12-31"),
    *(
        "2024-01-01T23:59:59.9Z",
        "2024-01-01T00:00+00:00",
        "2024-01-01 12:05 AM",
        "2024-1-1 12:05pm",
        "",
        "NA",
        "1969-12-31",
    ),
]
NUMBERS = [0.0, -1.5, 1e30, np.nan, 3.25, -0.0, np.float32(1e-30)]


@pytest.mark.parametrize(
    ("rule", "raw"),
    [
        (Numeric("c", 0.1, True), NUMBERS),
        (Numeric("c", -7.3, False), NUMBERS),
        (Boolean("c", 1.0, True), ["true", "FALSE", "True", *MISSING]),
        (Boolean("c", 0.0, False), ["true", "FALSE", " true ", ""]),
        (Categorical("c", ("a", "b", "x" * 5000, "ä"), True, True), WORDS),
        (Categorical("c", ("a", "=1+1"), False, False), WORDS),
        (Date("c", "1999-12-31", "2024-02-29T12:00:00", True, True), DATES),
        (Date("c", "2024-01-01", "2024-01-31", False, False), DATES),
    ],
    ids=lambda value: value.kind if not isinstance(value, list) else "",
)
def test_the_graph_equals_the_rule(rule: ColumnRule, raw: list[Any]) -> None:
    numeric = rule.kind == "numeric"
    served = tf.constant(np.array(raw, np.float32)) if numeric else tf.constant(raw, tf.string)
    table = Table(
        ("c",),
        (rule.kind,),
        (np.array(raw if numeric else [clean_cell(r) for r in raw], np.float32 if numeric else object),),
    )
    graph = tf.function(lambda cells: apply_rules({"c": cells}, (rule,)))
    np.testing.assert_array_equal(graph(served).numpy(), compute_numpy(table, (rule,)))  # bit for bit


def test_each_column_takes_its_own_input() -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "self": random.normal(size=60),  # no name that TensorFlow takes
            "Word": random.choice(["x", "y", "z"], 60),
            "word": random.choice(["x", "y"], 60),
            "day": [f"2024-01-{1 + n % 28:02}" for n in range(60)],
        }
    )
    frame.loc[3, "self"] = None
    prepared = prepare_fold(from_arrays(frame, ["no", "yes"] * 30), SplitConfig(), 0)
    raw, preprocessor = prepared.held_out[0], prepared.preprocessor
    assert isinstance(raw, Table)
    inputs = split_inputs(raw, preprocessor)
    assert list(inputs) == ["column_self", "Word", "word_2", "day"]
    x = ServedModel(None, preprocessor).preprocess({name: tf.constant(value) for name, value in inputs.items()})
    np.testing.assert_array_equal(x.numpy(), preprocessor.transform(raw))
    swapped = dataclasses.replace(preprocessor, rules=preprocessor.rules[::-1])
    assert not np.array_equal(swapped.transform(raw), preprocessor.transform(raw))


def count_operations(columns: int) -> int:
    rules = tuple(Numeric(f"c{number}", 0.5, number % 2 == 0) for number in range(columns))
    specs = {rule.name: tf.TensorSpec([None], tf.float32) for rule in rules}
    graph = tf.function(lambda raw: apply_rules(raw, rules), input_signature=[specs]).get_concrete_function().graph
    return len([operation for operation in graph.get_operations() if operation.type != "Placeholder"])


def test_more_columns_of_numbers_are_no_more_operations() -> None:
    """TensorFlow prepares each operation at the first call: 2,000 columns took 20 seconds."""
    assert count_operations(40) == count_operations(4)
