"""Recipes that hold the baseline's point, by their declared ranges and by training."""

from __future__ import annotations

import pytest

from regzoo.core import parse, regularizers
from regzoo.search.nesting import nests_baseline

NESTING = {
    *("activity_l1", "activity_l2", "decov", "flooding", "focal", "gradient_noise", "group_lasso", "jacobian"),
    *("kl_sparsity", "l1", "l1_l2", "l2", "l2_sp", "orthogonal", "weight_decay"),
}


def test_the_regularizers_that_nest_by_their_own_ranges() -> None:
    assert {name for name in regularizers() if nests_baseline(parse(name))} == NESTING


@pytest.mark.parametrize(
    "text",
    [
        "none",
        "l2",
        "l2(1e-7..1e-3)",
        "l2(1e-5..1e-3)",
        "l2(0.0)",
        "l2(0|0.1)",
        "dropout(0..0.5)",
        "l1_l2",
        "l2 + focal",
        "gradient_clip(inf)",
        "ensemble(1..5)",
    ],
)
def test_nests(text: str) -> None:
    assert nests_baseline(parse(text))


@pytest.mark.parametrize(
    "text",
    [
        "dropout",
        "l2(0.001..1)",
        "l2(0.01)",
        "l2(0.1|0.2)",
        "dropout(0.05..0.5)",
        "l1_l2(l1=0.001)",
        "dropout + l2",
        "l2(linear(0.1, 0.0, epochs=5))",
        "gradient_clip",
        "ensemble",
        "layer_norm",
        "batch_norm",
        "mc_dropout + l2",
    ],
)
def test_does_not_nest(text: str) -> None:
    assert not nests_baseline(parse(text))
