"""Recipes that hold the baseline's point, by their declared ranges and by training."""

from __future__ import annotations

from pathlib import Path

import pytest
from sklearn.datasets import load_wine

import regzoo
from regzoo.core import parse, regularizers
from regzoo.core.formatting import float_or_nan
from regzoo.search.nesting import IN_EFFECT, nests_baseline

NESTING = {
    *("activity_l1", "activity_l2", "decov", "flooding", "focal", "gradient_noise", "group_lasso", "jacobian"),
    *("kl_sparsity", "l1", "l1_l2", "l2", "l2_sp", "orthogonal", "weight_decay"),
    *("elastic_net", "proximal_group_lasso", "proximal_l1"),
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
        "weight_decay(1e-4..0.01)",
        "weight_decay(0.0)",
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
        "weight_decay(5e-4..0.05)",  # in a run of learning rate x steps = 1000 it takes away 40 % of a weight or more
        "weight_decay(0.0007)",
    ],
)
def test_does_not_nest(text: str) -> None:
    assert not nests_baseline(parse(text))


@pytest.mark.slow
def test_no_recipe_loses_at_the_strength_that_counts_as_neutral_in_effect(tmp_path: Path) -> None:
    """Train every regularizer whose declared range nests by `IN_EFFECT`, at just that strength, on a noisy task."""
    recipes = ["none"]
    for name in sorted(NESTING - {"flooding", "focal"}):
        strengths = dict(parse(name).items())[name].strengths()
        values = (f"{field}={IN_EFFECT * max(spec.range.values()):g}" for field, spec in strengths.items())
        recipes.append(f"{name}({', '.join(values)})")
    x, y = load_wine(return_X_y=True)
    result = regzoo.compare(
        x, y, out=tmp_path / "wine", workers=0, verbose=False, backbone="mlp([32])", recipes=recipes, vary=["seed"],
        split={"label_noise": 0.2}, training={"epochs": 15, "learning_rate": 0.005}, search={"trials": 1}, replicates=5,
    )  # fmt: skip
    rows = {row.name: row for row in result.board.recipes}
    noise = float_or_nan(rows.pop("none").sd)
    for row in rows.values():
        assert float_or_nan(row.gain) > -0.5 * noise
        assert row.verdict != "conclusive" or float_or_nan(row.gain) > -0.1 * noise
