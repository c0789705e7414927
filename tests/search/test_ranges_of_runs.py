"""Ranges in terms of the run, of 1 - strength and of budgets; comparisons that were begun with others keep them."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import keras_tuner
import numpy as np
import pytest

import regzoo
from regzoo.comparison.sweep import make_sweep
from regzoo.config import from_keywords
from regzoo.core import Cycles, Float, Int, Objective, Recipe, parse
from regzoo.core.older_ranges import with_older_ranges
from regzoo.report.findings.strengths import find_edges, read_ranges
from regzoo.search.search import make_search
from regzoo.search.space import RATES, make_axes, make_grid, to_strengths, value_at
from regzoo.storage.config_file import adopt_older_defaults, is_extension
from regzoo.testing.harness import fix_strengths

NLL = Objective("nll", "min")


def draw(tuner: str, recipe: str, trials: int, steps: int, rate: Any = RATES) -> list[tuple[float, Recipe]]:
    """Return learning rate and recipe of all trials of a search."""
    space = make_axes(parse(recipe), rate)
    found = []
    for point in make_search(tuner, space, trials, 9, NLL, seed=0).ask():
        values = dict(point.values)
        drawn = values.pop("learning_rate", rate)
        found.append((drawn, parse(recipe).with_strengths(to_strengths(space, values, drawn, steps))))
    return found


@pytest.mark.parametrize("tuner", ["random", "latin_hypercube", "grid"])
@pytest.mark.parametrize("steps", [30, 640, 100_000])
def test_weight_decay_spans_no_effect_to_half_a_weight_whatever_the_run(tuner: str, steps: int) -> None:
    """What a weight keeps that nothing else moves: (1 - rate decay) ** steps."""
    found = draw(tuner, "weight_decay", 24, steps)
    shrunk = [1 - (1 - rate * next(iter(recipe)).decay) ** steps for rate, recipe in found]  # type: ignore[attr-defined]
    assert min(shrunk) < 0.003
    assert 0.3 < max(shrunk) < 0.51
    # On an even scale from 0.07 % to 50 %, log(70) / log(1000) = 0.6 of the draws shrink a weight by 1 % or more.
    assert sum(share > 0.01 for share in shrunk) >= 0.4 * len(shrunk)


def test_a_decay_that_is_written_means_what_it_says() -> None:
    (axis,) = make_axes(parse("weight_decay(1e-5..0.1)"), 0.001)
    assert axis.range == Float(1e-5, 0.1)
    assert value_at(axis, 0.5) == 0.001
    assert to_strengths([axis], {axis.name: 0.001}, 0.01, 640) == {"weight_decay.decay": 0.001}
    assert str(parse("weight_decay(0.001)")) == "weight_decay(0.001)"
    assert str(parse("weight_decay(0.0007..0.7)")) == "weight_decay(0.0007..0.7)" != str(parse("weight_decay"))
    assert make_axes(parse("weight_decay"), 0.001)[0].describe() == "0.0007..0.7 / (learning_rate x steps) (log)"


def test_ema_is_sampled_where_1_minus_decay_is_even() -> None:
    (axis,) = make_axes(parse("ema"), 0.001)
    assert [value_at(axis, share) for share in (0.0, 0.25, 0.5, 0.75, 1.0)] == [0.9, 0.96838, 0.99, 0.996838, 0.999]
    assert [point["ema.decay"] for point in make_grid([axis], 3)] == [0.9, 0.99, 0.999]
    (fine,) = make_axes(parse("ema(0.99..0.9999)"), 0.001)
    assert [value_at(fine, share) for share in (0.0, 0.5, 1.0)] == [0.99, 0.999, 0.9999]
    for tuner in ("random", "latin_hypercube"):
        decays = [next(iter(recipe)).decay for _, recipe in draw(tuner, "ema", 40, 1, rate=0.1)]  # type: ignore[attr-defined]
        assert all(0.9 <= decay <= 0.999 for decay in decays)
        above = sum(decay > 0.99 for decay in decays)  # half of 40; linearly, a tenth; sd of independent draws 3.2
        assert above == 20 if tuner == "latin_hypercube" else 8 <= above <= 32
    assert str(fix_strengths(parse("ema").regularizers[0])) == "ema(0.99)"


def test_a_sweep_of_ema_has_even_steps_of_1_minus_decay() -> None:
    experiment = from_keywords(data={"source": "iris"}, backbone="mlp", recipes=["none"])
    _, sweep = make_sweep(experiment, ["ema.decay"])
    values = sweep.over[0].values
    assert (values[0], values[1], values[-1]) == (0.0, 0.9, 0.999)
    steps = np.diff(np.log10(1 - np.array(values[1:])))
    assert steps == pytest.approx(np.full(7, -2 / 7), abs=0.03)  # two digits each
    assert sweep.over[0].complement
    assert type(sweep).from_dict(json.loads(json.dumps(sweep.to_dict()))) == sweep


def test_kerastuner_draws_the_same_scales_and_the_model_has_the_strengths() -> None:
    recipe = "weight_decay + ema"
    hypermodel = regzoo.hypermodel("mlp([4])", recipe, (5,), classes=3, learning_rate=0.01, steps=500)
    parameters = keras_tuner.HyperParameters()
    hypermodel.build(parameters)
    spaces = {each.name: (each.min_value, each.max_value, each.sampling) for each in parameters.space}
    assert spaces == {"weight_decay.decay": (7e-4, 0.7, "log"), "1 - ema.decay": (0.001, 0.1, "log")}
    parameters.values |= {"weight_decay.decay": 0.5, "1 - ema.decay": 0.02}
    dials = hypermodel.build(parameters).dials
    assert dials == pytest.approx({"weight_decay.decay": 0.1, "ema.decay": 0.98})


def test_budgets_are_fixed_unless_a_range_is_given() -> None:
    for recipe, number in (("ensemble", 5), ("mc_dropout", 50)):
        (regularizer,) = parse(recipe)
        assert not regularizer.ranges()
        (field,) = regularizer.strengths()
        assert getattr(regularizer, field) == number
        assert str(regularizer) == recipe
        assert str(parse(f"{recipe}({number})")) == f"{recipe}({number})"
        assert parse(f"{recipe}(2..10)").space()[f"{recipe}.{field}"][0] == Int(2, 10)
    assert parse("ensemble").n_models() == 5


@pytest.mark.parametrize("epochs", [1, 8, 19, 20, 30, 45, 60, 300])
def test_snapshots_have_cycles_of_ten_epochs_where_the_run_is_long_enough(epochs: int) -> None:
    (axis,) = make_axes(parse("snapshot_ensemble"), 0.001, epochs=epochs)
    low, high = axis.range.values()
    assert 1 <= low < high <= 6
    assert epochs / high >= 10 or high == 2
    assert make_axes(parse("snapshot_ensemble(3..6)"), 0.001, epochs=epochs)[0].range == Int(3, 6)
    assert Cycles(3, 6).fit(60) == Int(3, 6)


def test_older_comparisons_go_on_with_their_ranges() -> None:
    older = from_keywords(
        data={"source": "iris"},
        backbone="mlp",
        recipes=["weight_decay", "ema", "ensemble", "ensemble(5)", "dropout(0.5) + mc_dropout", "snapshot_ensemble"],
    ).with_older_ranges()
    spaces = {
        name: [(axis.range, axis.complement) for axis in make_axes(recipe, 0.001, epochs=8, older=True)]
        for name, recipe in zip(older.recipes, older.parse_recipes(), strict=True)
    }
    assert spaces == {
        "none": [],
        "weight_decay": [(Float(1e-5, 0.1), False)],
        "ema": [(Float(0.9, 0.999), False)],
        "ensemble": [(Int(2, 10), False)],
        "ensemble(5)": [],
        "dropout(0.5) + mc_dropout": [(Int(10, 100), False)],
        "snapshot_ensemble": [(Int(3, 6), False)],
    }
    assert is_extension(older, older.with_older_ranges(False))  # the config is the same
    assert older.to_yaml() == older.with_older_ranges(False).to_yaml()
    assert with_older_ranges(parse("weight_decay(0.001)")) == parse("weight_decay(0.001)")
    assert str(read_ranges("weight_decay", older=True)["weight_decay.decay"]) == "1e-05 to 0.1"
    assert "learning rate x steps" in str(read_ranges("weight_decay")["weight_decay.decay"])


def test_a_folder_tells_whether_its_ranges_are_older(tmp_path: Path) -> None:
    experiment = from_keywords(data={"source": "iris"}, backbone="mlp", recipes=["ema"])
    fixture = Path(__file__).parents[1] / "fixtures" / "format_1"
    assert adopt_older_defaults(experiment, fixture).older_ranges
    assert not adopt_older_defaults(experiment, tmp_path).older_ranges


def test_the_edges_of_a_range_are_those_of_its_scale() -> None:
    ema = read_ranges("ema")["ema.decay"]
    assert [ema.at_edge(decay) for decay in (0.9, 0.92, 0.99, 0.9985, 0.99899)] == [True, False, False, False, True]
    assert math.isclose(ema.low, 0.9)


@pytest.mark.parametrize(
    ("recipe", "decay", "steps", "edge"),
    [
        ("weight_decay", 0.35, 2000, True),  # 0.35 x 0.001 x 2000 = 0.7
        ("weight_decay", 0.35, 1000, False),
        ("weight_decay", 1e-9, 2000, False),  # no effect: nothing weaker is to be tried
        ("weight_decay", 1e-5, None, True),  # an earlier version searched 1e-5 to 0.1
        ("weight_decay", 0.35, None, True),
        ("weight_decay", 0.01, None, False),
        ("weight_decay + swap_noise(copies=1)", 0.35, 1000, True),  # twice the steps
        ("weight_decay(1e-4..0.35)", 0.35, 1000, True),  # of the decay itself
    ],
)
def test_the_edge_of_weight_decay_is_that_of_the_run(recipe: str, decay: float, steps: int | None, edge: bool) -> None:
    found = find_edges(recipe, {"weight_decay.decay": decay}, 0.001, steps)
    assert ("weight_decay.decay" in found) is edge
