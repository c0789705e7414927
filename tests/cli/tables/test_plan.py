"""The table of a plan."""

from __future__ import annotations

from collections.abc import Callable

from regzoo.cli.tables.plan import make_plan_table

Draw = Callable[..., str]


def test_the_table_of_a_plan(draw: Draw) -> None:
    recipe = {
        "name": "dropout[x]",
        "searches": 1,
        "trials": 4,
        "confirmations": 0,
        "replicates": 5,
        "models_per_run": 3,
        "cost": 7 / 3,
        "space": {"a.b": "0.1..0.5"},
        "places": {
            "dropout": {"hits": 5, "kinds": {"conv": 4, "other": 1}, "layers": dict.fromkeys("abcde", 1)}
            | {"before_frozen": 3},
            "ensemble": {"hits": 1, "kinds": {}, "layers": {}, "before_frozen": 0},
        },
    }
    described = {"runs": 9, "epochs": 540, "folds": 1, "seconds": 12.4, "rank_by": "nll", "tuner": "random"}
    described |= {"notes": ["dropout[x]: dropout: 3 of its 5 places lie before layers that are frozen"]}
    text = draw(make_plan_table({**described, "recipes": [{**recipe, "clashes": ["they clash [so]"]}]}))
    for words in (
        "dropout[x]",
        "2.33",
        "a.b 0.1..0.5",
        "9 runs, 540 epochs at most, about 12 s",
        "4 conv, 1 other: a, b, c, d, and 1 more",
        "the whole model",
        "note: dropout[x]: they clash [so]",
        "note: dropout[x]: dropout: 3 of its 5 places lie before layers that are frozen",
    ):
        assert words in text
    assert "searches" not in text
    several = {**recipe, "clashes": [], "searches": 6, "confirmations": 2}
    text = " ".join(draw(make_plan_table({**described, "recipes": [several]})).split())
    for words in ("searches trials of each run again of each replicates", "dropout[x] 6 4 2 5 3"):
        assert words in text


def test_a_split_that_varies_is_named_unless_there_are_folds(draw: Draw) -> None:
    described = {"runs": 9, "epochs": 540, "seconds": 1.0, "rank_by": "nll", "tuner": "random", "recipes": []}
    shown = {}
    for folds, vary in ((1, ["seed"]), (1, ["seed", "split"]), (3, ["seed", "split"])):
        text = draw(make_plan_table({**described, "folds": folds, "vary": vary}))
        shown[folds, len(vary)] = " ".join(text.split()).partition("tuner random")[2]
    assert shown == {
        (1, 1): "",
        (1, 2): "; each replicate draws training and validation rows of its own",
        (3, 2): "; replicates take turns at 3 folds",
    }
