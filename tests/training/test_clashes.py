"""Clashes of the training with a recipe: warned of in a sentence, and targets that a loss cannot take are refused."""

from __future__ import annotations

import pytest

from regzoo.core import InputError, parse
from regzoo.training.clashes import list_training_clashes, reject_soft_targets


@pytest.mark.parametrize(
    ("recipe", "optimizer", "loss", "sentence"),
    [
        ("weight_decay(0.1)", "adamw", None, "write adamw(weight_decay=0) to compare with weights that nothing decays"),
        ("l2(0.1)", "sgd(weight_decay=0.01)", None, "sgd itself decays the weights (weight_decay 0.01)"),
        ("l1(0.1) + l2(0.1)", "ftrl(l1_regularization_strength=0.1)", None, "in addition to l1 and l2"),
        ("l2(0.1)", "muon", None, "muon(adam_weight_decay=0, weight_decay=0)"),
        ("gradient_clip(1.0)", "adam(clipnorm=2)", None, "adam clips gradients (clipnorm 2.0)"),
        ("ema(0.9)", "adam(use_ema=true)", None, "ema averages them again"),
        ("focal(2.0)", "adam", "categorical_focal_crossentropy", "weighs examples as focal does"),
        ("flooding(0.1)", "adam", "categorical_crossentropy(label_smoothing=0.1)", "flooding cannot act below that"),
        ("label_noise(0.1)", "adam", "categorical_crossentropy(label_smoothing=0.1)", "softens the labels as well"),
        ("l2_sp(0.1)", "adamw", None, "in addition to l2_sp"),
        ("mixup(0.2)", "adam", "categorical_crossentropy(label_smoothing=0.1)", "mixup softens them as well"),
    ],
)
def test_what_the_training_does_already_is_warned_of(
    recipe: str, optimizer: str, loss: str | None, sentence: str
) -> None:
    found = list_training_clashes(parse(recipe), optimizer, loss)
    assert len(found) == 1
    assert sentence in found[0]
    assert "in every recipe, the baseline included" in found[0]


@pytest.mark.parametrize(
    ("recipe", "optimizer", "loss"),
    [
        ("weight_decay(0.1) + gradient_clip(1.0)", "adam", None),
        ("weight_decay(0.1)", "adamw(weight_decay=0)", None),
        ("dropout(0.5)", "adamw(clipnorm=1)", "categorical_focal_crossentropy(label_smoothing=0.1)"),
        ("label_smoothing(0.1)", "compiled", "compiled"),
    ],
)
def test_what_does_not_clash_is_not_warned_of(recipe: str, optimizer: str, loss: str | None) -> None:
    assert list_training_clashes(parse(recipe), optimizer, loss) == []


def test_a_loss_for_hard_targets_refuses_recipes_that_soften_them() -> None:
    for loss in ("hinge", "squared_hinge"):
        for name in ("label_smoothing(0.1)", "mixup(0.2)", "dropout(0.5) + cutmix(1.0)"):
            with pytest.raises(InputError, match=f"^{loss} takes targets of 0 and 1"):
                reject_soft_targets(parse(name), loss)
        reject_soft_targets(parse("label_noise(0.1)"), loss)
    reject_soft_targets(parse("mixup(0.2)"), "categorical_hinge")
    reject_soft_targets(parse("mixup(0.2)"), None)
