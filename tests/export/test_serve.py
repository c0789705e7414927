"""What TensorFlow says of a model that it cannot call becomes a sentence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from regzoo.core import InputError
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
