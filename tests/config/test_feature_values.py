"""`data.categorical_features` in configs and as a keyword."""

from __future__ import annotations

from typing import Any

import pytest

from regzoo.config import ConfigError, from_keywords, read_config
from regzoo.core import InputError

CONFIG = """name: mine
data: {{npz: rows.npz, categorical_features: {}}}
backbone: mlp
recipes: [none]
"""


@pytest.mark.parametrize("text", ["'3..5, 6'", "[3..5, 6]", '["3..5", "6"]'])
def test_a_config_names_columns(text: str) -> None:
    experiment = read_config(CONFIG.format(text))
    assert experiment.data.categorical_features == "3..5, 6"
    assert experiment.data.categories == ((3, 4, 5), (6,))
    again = read_config(experiment.to_yaml())
    assert again == experiment


@pytest.mark.parametrize("text", ["x", "[[3, 4], 6]", "1.5", "true", "[]", "{a: 1}", "'3, 3'"])
def test_what_names_none_is_refused_at_its_place(text: str) -> None:
    with pytest.raises(ConfigError, match=r"config.yaml:2:\d+: data.categorical_features"):
        read_config(CONFIG.format(text))


def test_it_is_a_keyword_with_x_and_y() -> None:
    given: dict[str, Any] = {"backbone": "mlp", "recipes": ["none"]}
    assert from_keywords(**given, categorical_features=[[3, 4, 5], 6]).data.categories == ((3, 4, 5), (6,))
    assert from_keywords(**given).data.categories == ()
    with pytest.raises(InputError, match="categorical_features: goes with x and y; with data=, it is a key there"):
        from_keywords(**given, data={"npz": "x.npz"}, categorical_features=[1])
    with pytest.raises(ConfigError, match="categorical_features: takes the columns of each category"):
        from_keywords(**given, categorical_features=["a"])
