"""What a search chooses, from its records alone."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from regzoo.core import Objective
from regzoo.training.choice import choose_trial, find_best_choice, list_choices
from regzoo.training.records import Record, Run

NLL = Objective("nll", "min")
ACCURACY = Objective("nll", "max")


def record(strength: float, nll: float, stage: Any = "trial", search: int = 0, epochs: int = 9, **more: Any) -> Record:
    run = Run(stage, "l2", f"l2({strength})", 0, 1, 0.1, epochs, "setup", search=search)
    return Record(run, more.get("status", "ok"), metrics={"validation": {"nll": nll}})


def choose(
    trials: list[Record], confirmations: tuple[Record, ...] = (), objective: Objective = NLL
) -> tuple[str, float]:
    choice = choose_trial(trials, confirmations, objective)
    return choice.setting[0], round(choice.score, 9)


def test_the_best_trial_is_one_of_those_trained_longest() -> None:
    trials = [record(0.1, 0.2, epochs=3), record(0.2, 0.4), record(0.3, 0.3), record(0.4, 0.3)]
    assert choose(trials) == ("l2(0.3)", 0.3)  # the first of equals
    assert choose(trials, objective=ACCURACY) == ("l2(0.2)", 0.4)
    lost = [record(0.1, 0.2, epochs=3), record(0.2, math.nan), record(0.3, 0.1, status="diverged")]
    assert choose(lost) == ("l2(0.1)", 0.2)
    setting, score = choose([record(0.5, math.nan), record(0.6, math.nan)])
    assert setting == "l2(0.5)"
    assert math.isnan(score)
    assert choose([record(0.1, 0.2, status="pruned"), record(0.2, 0.4)]) == ("l2(0.2)", 0.4)


def test_a_lucky_trial_is_not_chosen_once_it_is_confirmed() -> None:
    trials = [record(0.1, 0.2), record(0.2, 0.3), record(0.3, 0.28)]
    again = (record(0.1, 0.5, "confirmation"), record(0.3, 0.3, "confirmation"))
    assert choose(trials) == ("l2(0.1)", 0.2)
    assert choose(trials, again) == ("l2(0.3)", 0.29)  # 0.1 has 0.35; 0.2 was not confirmed
    assert choose(trials, (*again, record(0.3, 0.62, "confirmation"))) == ("l2(0.1)", 0.35)
    assert choose([*trials, record(0.3, 0.2, epochs=3)], again) == ("l2(0.3)", 0.29)


@pytest.mark.parametrize("status", ["failed", "diverged"])
def test_a_trial_whose_confirmation_has_no_score_is_not_chosen(status: Any) -> None:
    trials = [record(0.1, 0.2), record(0.2, 0.3)]
    lost = record(0.1, 0.1, "confirmation", status=status)
    assert choose(trials, (lost, record(0.2, 0.4, "confirmation"))) == ("l2(0.2)", 0.35)
    assert choose(trials, (lost, replace(lost, run=record(0.2, 0, "confirmation").run))) == ("l2(0.1)", 0.2)


def test_each_search_chooses_among_its_own_runs_and_the_best_mean_is_the_best_choice() -> None:
    records = [
        record(0.1, 0.2),
        record(0.2, 0.21),
        record(0.1, 0.6, "confirmation"),
        record(0.2, 0.4, "confirmation"),
        record(0.3, 0.3, search=1),
        record(0.4, 0.5, search=1),
        record(0.4, 0.0, "replicate", search=1),
    ]
    choices = list_choices(records, NLL)
    assert {search: choice.setting[0] for search, choice in choices.items()} == {0: "l2(0.2)", 1: "l2(0.3)"}
    assert find_best_choice(list(choices.values()), NLL).setting == ("l2(0.3)", 0.1)
    assert find_best_choice(list(choices.values()), ACCURACY).setting == ("l2(0.2)", 0.1)
    assert list_choices([], NLL) == {}
