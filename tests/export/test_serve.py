"""What TensorFlow says of a model that it cannot call becomes a sentence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from regzoo.core import InputError
from regzoo.export import serve as serving
from regzoo.export.serve import _call


def test_a_message_says_what_is_wrong_rather_than_where() -> None:
    table = tf.Variable(np.zeros((5, 2), np.float32))

    @tf.function
    def serve(tokens: Any) -> Any:
        return {"out": tf.gather(table, tokens)}

    with pytest.raises(InputError, match=r"recipe\.json: .*= 7 is not in \[0, 5\)$"):
        _call(serve, {"tokens": np.array([1, 7], np.int32)})


def test_a_message_of_one_line_is_kept() -> None:
    def serve(**_: Any) -> Any:
        raise ValueError("no such input")

    with pytest.raises(InputError, match=r"recipe\.json: no such input$"):
        _call(serve, {"tokens": np.array([1], np.int32)})


@pytest.mark.parametrize("given", [True, False])
def test_the_graph_of_many_inputs_is_taken_as_it_is(given: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """TensorFlow's settings are afterwards those that the user made, also where the call fails."""
    monkeypatch.setattr(serving, "MANY_INPUTS", 2)
    seen = []

    def serve(**inputs: Any) -> Any:
        seen.append(tf.config.optimizer.get_experimental_options().get("disable_meta_optimizer", False))
        return {"out": inputs["a"] + inputs["b"] if "b" in inputs else inputs["a"]}

    before = tf.config.optimizer.get_experimental_options().get("disable_meta_optimizer", False)
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": given})
    try:
        values = {name: np.ones(3, np.float32) for name in "ab"}
        assert _call(serve, values)["out"].tolist() == [2.0] * 3
        _call(serve, values)  # as the first time, so that rows are rounded alike
        _call(serve, {"a": values["a"]})
        with pytest.raises(InputError):
            _call(serve, {"b": values["b"], "c": values["b"]})
        assert seen == [True, True, given, True]
        assert tf.config.optimizer.get_experimental_options().get("disable_meta_optimizer", False) == given
    finally:
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": before})
