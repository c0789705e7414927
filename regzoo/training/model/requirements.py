"""Requirements of a recipe on data, task and model, checked before anything is built."""

from __future__ import annotations

from regzoo.core import AfterTraining, InputError, OnActivations, OnBatch, Recipe
from regzoo.core.cells import NamedCells
from regzoo.training.task import Shape, Task

MIXES_PADDING = (
    "mixes the steps of two examples, and the shares of their targets would count padding as well, which the model "
    "does not see; leave it out, or take embedding_dropout or label_smoothing"
)
"""Why a regularizer that mixes targets does not go with tokens that are padded and masked."""


def reject_ranges(recipe: Recipe) -> None:
    """Reject strengths that are left to a search.

    Raises:
        InputError: with all of them.
    """
    ranges = [f"{name} ({value})" for name, (value, _) in recipe.space().items()]
    if ranges:
        raise InputError(
            f"{', '.join(ranges)} is left to the search: a model needs a number, "
            "such as dropout(0.5); regzoo.compare and `regzoo compare` search"
        )


def reject_several_models(recipe: Recipe) -> None:
    """Reject a recipe that trains several models. Its strengths must be numbers.

    Raises:
        InputError: at the first regularizer that does.
    """
    for regularizer in recipe:
        if isinstance(regularizer, AfterTraining) and regularizer.n_models() > 1:
            raise InputError(
                f"{regularizer.name} acts on trained models, so one model cannot hold it: use regzoo.compare"
            )


def check_requirements(
    recipe: Recipe, task: Task, input_shape: Shape, cells: NamedCells = (), *, tokens: bool = False
) -> None:
    """Reject regularizers that require something that is not there.

    That is images, rows, numbers among their columns, classes, or targets other than the inputs.

    Args:
        recipe: the regularizers to check.
        task: what is predicted.
        input_shape: shape of one example; ``()`` if there are several inputs.
        cells: which columns of the inputs hold one value.
        tokens: whether they are tokens (steps,) in place of numbers.

    Raises:
        InputError: at the first of them.
    """
    available = (
        set() if tokens else {"images"} if len(input_shape) == 3 else {"rows"} if len(input_shape) == 1 else set()
    )
    available |= {"classes"} if task.kind == "classification" else set()
    available |= {"targets"} if task.kind != "reconstruction" else set()
    numbers = (not cells and not tokens) or any(each is None or each.have_numbers for _, each in cells)
    available |= {"numbers"} if numbers else set()
    for regularizer in recipe:
        if tokens and isinstance(regularizer, OnBatch) and regularizer.mixes_targets:
            raise InputError(f"{regularizer.name} {MIXES_PADDING}")
        missing = sorted(regularizer.requires - available)
        if missing:
            what = "" if numbers or tokens else ", categories and booleans alone,"
            form = {2: "sequences (steps, channels)"}.get(len(input_shape), "tokens" if tokens else "inputs")
            received = f"{form} of shape {input_shape}{what} for {task.kind}"
            raise InputError(f"{regularizer.name} needs {' and '.join(missing)}, received {received}; leave it out")


def reject_shortening(recipe: Recipe) -> None:
    """Reject regularizers that leave out tokens, where padding is masked: the mask would have another length.

    Raises:
        InputError: at the first of them.
    """
    for regularizer in recipe:
        if isinstance(regularizer, OnActivations) and regularizer.shortens:
            raise InputError(
                f"{regularizer.name} leaves out tokens in training, and these are masked where they are padding: leave "
                "it out, or take embedding_dropout"
            )


def require_noise(recipe: Recipe, has_noise: bool | None = None) -> None:
    """Reject a recipe that needs noise inside the model where there is none.

    Args:
        recipe: the regularizers to check.
        has_noise: whether a user's model has noise of its own, such as Dropout layers; None for a backbone.

    Raises:
        InputError: at the first regularizer that needs it.
    """
    missing = recipe.explain_missing_noise()
    if missing and not has_noise:
        hint = "" if has_noise is None else "; Dropout layers of your model's own would do, but it trains with none"
        raise InputError(f"{recipe}: {missing}{hint}")
