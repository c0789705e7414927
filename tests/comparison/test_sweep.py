"""Sweep: the comparison that it stands for, default values, and what is refused."""

from __future__ import annotations

import math
from typing import Any

import pytest

from regzoo.comparison.spread_values import spread_values
from regzoo.comparison.sweep import Sweep, SweptStrength, make_sweep, read_values
from regzoo.config import Experiment, from_keywords, read_config
from regzoo.core import Choice, InputError, parse, regularizers
from regzoo.search.space import make_axes


def experiment(*recipes: str, **given: Any) -> Experiment:
    return from_keywords(name="digits", backbone="mlp", recipes=list(recipes) or ["none"], **given)


def test_the_first_recipe_that_holds_the_strength_is_varied() -> None:
    made, sweep = make_sweep(experiment("none", "l2", "l2 + dropout(0.5)", "dropout"), ["dropout.rate"], [[0.2, 0]])
    assert made.recipes == ("none", "l2 + dropout(0.0)", "l2 + dropout(0.2)")
    assert sweep.combinations() == {"l2 + dropout(0.0)": (0.0,), "l2 + dropout(0.2)": (0.2,)}
    assert list(parse(made.recipes[1]).space()) == ["l2.strength"]  # what else is left open is searched


def test_a_strength_that_no_recipe_holds_is_swept_alone() -> None:
    made, _ = make_sweep(experiment("none", "l2"), ["dropout.rate"], [[0.1, 0.2]])
    assert made.recipes == ("none", "dropout(0.1)", "dropout(0.2)")


def test_everything_else_of_the_experiment_stays_and_reads_back_equal() -> None:
    asked = experiment("dropout", replicates=7, placebo=2, training={"epochs": 3})
    made, _ = make_sweep(asked, ["dropout.rate"])
    assert made == asked.model_copy(update={"name": made.name, "recipes": made.recipes})
    assert made.name == "digits-dropout.rate"
    assert read_config(made.to_yaml()) == made


def test_a_long_name_is_still_a_folder() -> None:
    asked = experiment("dropout").model_copy(update={"name": "x" * 99})
    made, _ = make_sweep(asked, ["dropout.rate"])
    assert read_config(made.to_yaml()).name == "x" * 99 + "-"


def test_two_strengths_make_a_grid() -> None:
    made, sweep = make_sweep(experiment("dropout + l2"), ["l2.strength", "dropout.rate"], [[0, 1e-3], [0.1, 0.2]])
    assert made.recipes[1:] == sweep.recipes
    assert list(sweep.combinations().items()) == [
        ("dropout(0.1) + l2(0.0)", (0.0, 0.1)),
        ("dropout(0.2) + l2(0.0)", (0.0, 0.2)),
        ("dropout(0.1) + l2(0.001)", (0.001, 0.1)),
        ("dropout(0.2) + l2(0.001)", (0.001, 0.2)),
    ]
    alone, _ = make_sweep(experiment(), ["l1_l2.l1", "l1_l2.l2"], [[0, 1e-3], [0, 1e-4]])
    assert alone.recipes[-1] == "l1_l2(l1=0.001, l2=0.0001)"
    assert len(make_sweep(experiment(), ["dropout.rate", "l2.strength"])[1].recipes) == 25


def test_it_reads_back_equal_with_infinite_values_too() -> None:
    _, sweep = make_sweep(experiment("max_norm"), ["max_norm.limit"], [[1, math.inf]])
    assert sweep.over[0].values == (1.0, math.inf)
    assert Sweep.from_dict(sweep.to_dict()) == sweep


@pytest.mark.parametrize(
    ("name", "values"),
    [
        # 8 of even distance from 0.05 to 0.7, two digits each, and the neutral 0
        ("dropout.rate", (0.0, 0.05, 0.14, 0.24, 0.33, 0.42, 0.51, 0.61, 0.7)),
        # 8 of even ratio, 10 ** (4 / 7) = 3.73, and the neutral 0
        ("l2.strength", (0.0, 1e-6, 3.7e-6, 1.4e-5, 5.2e-5, 1.9e-4, 7.2e-4, 2.7e-3, 1e-2)),
        # the neutral 0 lies inside the range: 9 values in all
        ("focal.gamma", (0.0, 0.62, 1.2, 1.9, 2.5, 3.1, 3.8, 4.4, 5.0)),
        # nothing is neutral
        ("batch_norm.momentum", (0.9, 0.91, 0.92, 0.93, 0.95, 0.96, 0.97, 0.98, 0.99)),
        # whole numbers, fewer than nine of them
        ("snapshot_ensemble.cycles", (3, 4, 5, 6)),
        ("gradient_clip.norm", (0.1, 0.8, 1.5, 2.2, 2.9, 3.6, 4.3, 5.0, math.inf)),
    ],
)
def test_default_values(name: str, values: tuple[float, ...]) -> None:
    _, sweep = make_sweep(experiment(), [name])
    assert sweep.over[0].values == values


def test_default_values_of_the_whole_zoo_lie_in_the_domain_and_hold_the_neutral_one() -> None:
    for kind in regularizers().values():
        for field, spec in kind().strengths().items():
            found = spread_values(spec.range, spec, 9)
            assert all(value in spec.domain for value in found), (kind.name, field)
            assert found == sorted(set(found))
            assert spec.neutral is None or spec.neutral in found
            assert len(found) == 9 or spec.integer or isinstance(spec.range, Choice)


def test_where_copies_are_made_no_value_is_neutral() -> None:
    """At 0 an epoch still has three times the rows and the steps."""
    _, sweep = make_sweep(experiment("random_flip(copies=2)"), ["random_flip.factor"])
    assert sweep.over[0].neutral is None
    assert min(sweep.over[0].values) == 0.1
    assert Sweep.from_dict(sweep.to_dict()) == sweep
    _, sweep = make_sweep(experiment("random_flip(copies=2) + dropout"), ["dropout.rate"])
    assert sweep.over[0].neutral == 0.0


def test_cycles_are_as_many_as_the_epochs_have_room_for() -> None:
    _, sweep = make_sweep(experiment(training={"epochs": 25}), ["snapshot_ensemble.cycles"])
    assert (
        sweep.over[0].values
        == (1.0, 2.0)
        == tuple(make_axes(parse("snapshot_ensemble"), 0.1, epochs=25)[0].range.values())
    )


def test_a_narrowed_range_and_a_choice_are_kept_to() -> None:
    narrowed, _ = make_sweep(experiment("dropout(0.2..0.4)"), ["dropout.rate"])
    rates = [regularizer.rate for name in narrowed.recipes[1:] for regularizer in parse(name)]  # type: ignore[attr-defined]
    assert (rates[0], rates[1], rates[-1]) == (0.0, 0.2, 0.4)
    chosen, _ = make_sweep(experiment("dropout(0.3|0.1)"), ["dropout.rate"])
    assert chosen.recipes == ("none", "dropout(0.1)", "dropout(0.3)")


@pytest.mark.parametrize(
    ("over", "values", "message"),
    [
        (["dropuot.rate"], [], "over: there is no strength 'dropuot.rate'. Did you mean 'dropout.rate'?"),
        (["l1_l2.strength"], [], "over: there is no strength 'l1_l2.strength'. Available: l1_l2.l1, l1_l2.l2."),
        (["dropout"], [], "over: there is no strength 'dropout'. Available: dropout.rate."),
        ([], [], "over: takes one strength, or two different ones, received none"),
        (["l2.strength"] * 2, [], "over: takes one strength, or two different ones, received l2.strength, l2.strength"),
        (["dropout.rate"], [[0.1, 1.5]], r"values: dropout.rate must lie in \[0, 1\], received 1.5"),
        (["dropout.rate"], [[0.1, True]], r"values: dropout.rate takes a number in \[0, 1\], received True"),
        (["ensemble.members"], [[2, 2.5]], r"values: ensemble.members takes a whole number in .*, received 2.5"),
        (["dropout.rate"], [[0.1, 0.1]], "a sweep of dropout.rate takes two different numbers or more, received 1"),
        (["dropout.rate"], [read_values("")], "takes two different numbers or more, received 0"),
        (["dropout.rate"], [[0.1, 0.2], [0.3]], "values: one list for each strength swept, received 2 for 1"),
        (["dropout.rate"], [read_values("0.1..0.5")], "received a range: list numbers, as 0,0.1,0.2"),
        (["dropout.rate"], [read_values("linear(0.5, 0.0, epochs=3), 1")], "received a schedule or a word"),
    ],
)  # fmt: skip
def test_what_cannot_be_swept_is_refused(over: list[str], values: list[Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        make_sweep(experiment("dropout"), over, values)


def test_a_scheduled_strength_is_explained() -> None:
    asked = experiment("dropout(linear(0.5, 0.0, epochs=20))")
    with pytest.raises(InputError, match=r"over: dropout.rate is scheduled in 'dropout\(linear.*such as dropout$"):
        make_sweep(asked, ["dropout.rate"])


@pytest.mark.parametrize("text", ["0.1;0.2", "0.1,,0.2"])
def test_what_is_no_list_of_values_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"values: takes numbers with commas, such as 0,0\.1,0\.2"):
        read_values(text)


def test_steps_count_the_milder_values() -> None:
    rate = SweptStrength("dropout.rate", (0.0, 0.2, 0.5), 0.0, False)
    assert [rate.steps(value) for value in rate.values] == [0, 1, 2]
    limit = SweptStrength("max_norm.limit", (1.0, 3.0, math.inf), math.inf, False)
    assert [limit.steps(value) for value in limit.values] == [2, 1, 0]
    assert SweptStrength("mc_dropout.samples", (10, 100), None, False).steps(10) is None


TWICE = "dropout(on=conv) + dropout(0.5, on=dense|'head.x')"


def test_a_strength_of_a_regularizer_that_stands_twice_is_named_with_its_layers() -> None:
    asked = experiment("none", "dropout", TWICE)
    made, sweep = make_sweep(asked, ["dropout[conv].rate"], [[0, 0.2]])
    assert made.recipes[1:] == tuple(TWICE.replace("(on=conv)", f"({rate}, on=conv)") for rate in ("0.0", "0.2"))
    assert [swept.name for swept in sweep.over] == ["dropout[conv].rate"]
    assert read_config(made.to_yaml()).name == "digits-dropout-conv-.rate"
    other = "dropout['head.x'|dense].rate"  # in any order
    made, sweep = make_sweep(asked, ["dropout[conv].rate", other], [[0, 0.2], [0.1, 0.3]])
    assert sweep.over[1].name == "dropout[dense|'head.x'].rate"
    assert len(made.recipes) == 5
    assert read_config(made.to_yaml()) == made


def test_a_strength_that_is_narrowed_once_keeps_its_name() -> None:
    for name in ("dropout.rate", "dropout[conv].rate"):
        made, sweep = make_sweep(experiment("dropout(on=conv)", "dropout(on=dense)"), [name], [[0, 0.2]])
        assert made.recipes[1:] == ("dropout(0.0, on=conv)", "dropout(0.2, on=conv)")
        assert [swept.name for swept in sweep.over] == ["dropout.rate"]
        assert made.name == "digits-dropout.rate"
    made, _ = make_sweep(experiment("dropout(on=conv)", "dropout(on=dense)"), ["dropout[dense].rate"], [[0, 0.2]])
    assert made.recipes[1:] == ("dropout(0.0, on=dense)", "dropout(0.2, on=dense)")
    made, _ = make_sweep(experiment("l2"), ["dropout[exclude=first].rate"], [[0, 0.2]])
    assert made.recipes[1:] == ("dropout(0.0, exclude=first)", "dropout(0.2, exclude=first)")


@pytest.mark.parametrize(
    ("over", "reason"),
    [
        ("dropout.rate", r"stands 2 times in .*: choose one of dropout\[conv\].rate, dropout\[dense\|'head.x'\].rate"),
        ("dropout[cnv].rate", "Did you mean 'conv'"),
        ("dropout[conv.rate", "received 'dropout.conv'"),
        ("dropout[conv].rat", r"there is no strength 'dropout\[conv\].rat'. Available: dropout.rate"),
        ("ensemble[conv].members", "ensemble: on= is for regularizers that act on activations or weights"),
    ],
)
def test_a_strength_that_is_not_named_right_is_refused(over: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        make_sweep(experiment(TWICE), [over])
