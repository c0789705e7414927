"""Models that predict at several positions of an example, such as time steps or pixels, or need all of them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from regzoo.core import InputError, OnActivations, OnBatch, OnForward, OnLoss, Recipe
from regzoo.training.task import Task


def reject_acting_on_positions(recipe: Recipe, task: Task, shape: tuple[int | None, ...]) -> None:
    """Reject regularizers that act on the targets, the loss or the number of several positions of an example.

    Args:
        recipe: the recipe.
        task: what the model predicts.
        shape: of the model's output, batch included.
    """
    for regularizer in recipe if len(shape) > 2 else ():
        if isinstance(regularizer, OnBatch | OnForward | OnLoss) and task.kind != "reconstruction":
            does = "acts on one prediction for each example"
        elif isinstance(regularizer, OnActivations) and regularizer.shortens:
            does = "leaves out tokens in training"
        else:
            continue
        raise InputError(
            f"{regularizer.name} {does}, received outputs of shape {shape}, one at each of several positions: leave it "
            "out, or pool the positions before the last layer"
        )


def list_shortening(recipe: Recipe) -> list[str]:
    """Return the names of the regularizers that leave out positions in training."""
    return [each.name for each in recipe if isinstance(each, OnActivations) and each.shortens]


@contextlib.contextmanager
def explain_shortening(recipe: Recipe, model: str) -> Iterator[None]:
    """Explain an error in this block, which makes or runs the copy of ``model``, by the positions that are left out.

    Raises:
        InputError: if there is an error and a regularizer leaves out positions.
    """
    names = " and ".join(list_shortening(recipe))
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # Keras and TensorFlow raise many kinds
        if not names:
            raise
        raise InputError(
            f"{names} leaves out tokens in training, and a layer of the model {model!r} needs all of them: leave "
            f"{names} out, or pool the tokens before that layer, as GlobalAveragePooling1D does"
        ) from error
