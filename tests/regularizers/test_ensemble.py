"""Ensembles: the mean of the members' predictions, and Jensen's inequality."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import regzoo
from regzoo.core import InputError
from regzoo.regularizers import Ensemble


def members(count: int, **size: Any) -> list[Any]:
    """Return models of different seeds."""
    return [regzoo.build("mlp([4])", "none", input_shape=(5,), seed=seed, **size) for seed in range(count)]


def nll(probabilities: np.ndarray, y: np.ndarray) -> float:
    """Return the mean negative log-likelihood of the labels."""
    return float(-np.log(probabilities[np.arange(len(y)), y]).mean())


@pytest.mark.parametrize("size", [{"classes": 3}, {"outputs": 2}])
def test_it_predicts_the_members_mean(rows: Any, size: dict[str, int]) -> None:
    models = members(3, **size)
    ensemble = Ensemble(3).finish(models)
    apart = np.stack([model.predict(rows[0], verbose=0) for model in models])
    # Three float32 numbers near 1 are added: a few roundings of 6e-8.
    np.testing.assert_allclose(ensemble.predict(rows[0], verbose=0), apart.mean(0), atol=5e-7)
    assert not np.allclose(apart[0], apart[1])


def test_its_nll_is_at_most_the_members_mean(rows: Any) -> None:
    x, y = rows
    models = members(4, classes=3)
    for model in models[:2]:
        model.fit(x, y, epochs=2, verbose=0)
    apart = [nll(model.predict(x, verbose=0), y) for model in models]
    together = nll(Ensemble(4).finish(models).predict(x, verbose=0), y)
    # Strictly so, since the members differ.
    assert together < np.mean(apart)


def test_one_member_is_the_model_itself() -> None:
    (model,) = members(1, classes=3)
    assert Ensemble(1).finish([model]) is model
    assert str(Ensemble(5).neutral()) == "ensemble(1)"


def test_it_says_how_many_models_to_train() -> None:
    assert Ensemble(3).n_models() == 3
    limits = r"must lie in \[1, 1000\], received"
    for wrong, reason in ((0, limits), (1001, limits), (2.5, "takes a whole number")):
        with pytest.raises(InputError, match=f"ensemble: members {reason}"):
            Ensemble(wrong)


def test_one_model_cannot_hold_it() -> None:
    with pytest.raises(InputError, match="ensemble acts on trained models"):
        regzoo.build("mlp([4])", "ensemble(3)", input_shape=(5,), classes=3)
