"""Clashes of the optimizer and the loss with a recipe, to warn of or to refuse."""

from __future__ import annotations

from regzoo.core.errors import InputError
from regzoo.core.regularizer import Recipe
from regzoo.training.keras_text import KerasText
from regzoo.training.loss_names import read_loss
from regzoo.training.optimizer_names import COMPILED, read_optimizer

_DECAYING = (
    *("weight_decay", "l1", "l2", "l1_l2", "l2_sp", "group_lasso"),
    *("elastic_net", "proximal_l1", "proximal_group_lasso"),
)
_HARD_ONLY = ("hinge", "squared_hinge")
_SOFTENING = ("label_smoothing", "mixup", "cutmix", "mixup_or_cutmix")


def list_training_clashes(recipe: Recipe, optimizer: str, loss: str | None) -> list[str]:
    """Return warnings, a sentence each, where the training does to every recipe what ``recipe`` does.

    Args:
        recipe: the recipe.
        optimizer: text of the optimizer.
        loss: text of the loss; None for the task's own.
    """
    found = []
    if optimizer != COMPILED:
        found += _list_optimizer_clashes(recipe, read_optimizer(optimizer))
    if loss not in (None, COMPILED):
        found += _list_loss_clashes(recipe, read_loss(loss))
    return found


def _list_optimizer_clashes(recipe: Recipe, optimizer: KerasText) -> list[str]:
    given = {name: value for name, value in optimizer.arguments.items() if value}
    everywhere = "in every recipe, the baseline included"
    decays = [name for name in given if name.endswith(("weight_decay", "regularization_strength"))]
    clips = [name for name in given if name in ("clipnorm", "clipvalue", "global_clipnorm")]
    found = []
    if decays and (names := _find(recipe, *_DECAYING)):
        values = ", ".join(f"{name} {given[name]}" for name in decays)
        zero = ", ".join(f"{name}=0" for name in decays)
        found.append(
            f"{optimizer.name} itself decays the weights ({values}) {everywhere}, in addition to {names}; write "
            f"{optimizer.name}({zero}) to compare with weights that nothing decays"
        )
    if clips and (names := _find(recipe, "gradient_clip")):
        found.append(
            f"{optimizer.name} clips gradients ({clips[0]} {given[clips[0]]}) {everywhere}, in addition to {names}"
        )
    if "use_ema" in given and (names := _find(recipe, "ema", "swa")):
        found.append(f"{optimizer.name} averages the weights (use_ema) {everywhere}, and {names} averages them again")
    return found


def _list_loss_clashes(recipe: Recipe, loss: KerasText) -> list[str]:
    everywhere = "in every recipe, the baseline included"
    found = []
    smoothing = loss.given.get("label_smoothing")
    if smoothing and (names := _find(recipe, *_SOFTENING)):
        found.append(f"{loss.name} smooths the labels ({smoothing}) {everywhere}, and {names} softens them as well")
    if smoothing:
        from regzoo.regularizers.label_smoothing import LabelSmoothing  # not above: a regularizer is imported when used

        clashes = [regularizer.warn_pair(LabelSmoothing(smoothing)) for regularizer in recipe]
        found += [f"{loss.name} smooths the labels ({smoothing}) {everywhere}: {each}" for each in clashes if each]
    if "focal" in loss.name and (names := _find(recipe, "focal")):
        found.append(f"{loss.name} weighs examples as {names} does, {everywhere}: its effect is squared")
    return found


def reject_soft_targets(recipe: Recipe, loss: str | None) -> None:
    """Reject a loss that needs targets of 0 and 1 in a recipe that makes others.

    Raises:
        InputError: if there is such a regularizer.
    """
    name = None if loss in (None, COMPILED) else read_loss(loss).name
    if name in _HARD_ONLY and (names := _find(recipe, *_SOFTENING)):
        raise InputError(
            f"{name} takes targets of 0 and 1, which Keras turns into -1 and 1, and {names} makes others; take another "
            "training.loss, or leave it out"
        )


def reject_schedule(recipe: Recipe, schedule: str | None) -> None:
    """Reject a regularizer that sets the learning rate of each epoch itself, where a schedule does.

    Raises:
        InputError: if there is such a regularizer.
    """
    if schedule is not None and (names := _find(recipe, "snapshot_ensemble")):
        raise InputError(
            f"{names} sets the learning rate of each epoch itself; give training.learning_rate a number or a range"
        )


def _find(recipe: Recipe, *names: str) -> str:
    """Return those of ``names`` that ``recipe`` has, in words; "" for none."""
    return " and ".join(regularizer.name for regularizer in recipe if regularizer.name in names)
