"""Values that strict JSON can hold."""

from __future__ import annotations

import numpy as np

from regzoo.core.json_values import replace_nonfinite


def test_numpy_numbers_become_plain() -> None:
    assert replace_nonfinite({"a": (np.float32(0.5), np.int64(3), np.float64("nan")), "b": [True, "text", None]}) == {
        "a": [0.5, 3, None],
        "b": [True, "text", None],
    }
