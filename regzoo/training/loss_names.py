"""The losses that ``training.loss`` may name: Keras's own, with Keras's arguments, by task. No TensorFlow.

A test compares the table with the installed Keras.
"""

from __future__ import annotations

from regzoo.core.errors import InputError, did_you_mean
from regzoo.training.keras_text import Argument, KerasClass, KerasText, KerasTexts
from regzoo.training.task import Task

_SMOOTHING = Argument(0.0, "[0, 1]")
_ALPHA, _GAMMA = Argument(0.25, "[0, 1]"), Argument(2.0, "[0, inf)")
_AXIS = Argument(None, "[-1, -1]", whole=True)
_SCALED = "it compares positive numbers, and the targets of a regression are standardized to mean 0"

LOSSES = KerasTexts(
    "loss",
    {
        "categorical_crossentropy": KerasClass("CategoricalCrossentropy", {"label_smoothing": _SMOOTHING}),
        "sparse_categorical_crossentropy": KerasClass("SparseCategoricalCrossentropy"),
        "categorical_focal_crossentropy": KerasClass(
            "CategoricalFocalCrossentropy", {"alpha": _ALPHA, "gamma": _GAMMA, "label_smoothing": _SMOOTHING}
        ),
        "categorical_generalized_cross_entropy": KerasClass(
            "CategoricalGeneralizedCrossEntropy", {"q": Argument(0.5, "(0, 1)")}
        ),
        "categorical_hinge": KerasClass("CategoricalHinge"),
        "kl_divergence": KerasClass("KLDivergence"),
        "binary_crossentropy": KerasClass("BinaryCrossentropy", {"label_smoothing": _SMOOTHING}),
        "binary_focal_crossentropy": KerasClass(
            "BinaryFocalCrossentropy",
            {
                "apply_class_balancing": Argument(False),
                "alpha": _ALPHA,
                "gamma": _GAMMA,
                "label_smoothing": _SMOOTHING,
            },
        ),
        "hinge": KerasClass("Hinge"),
        "squared_hinge": KerasClass("SquaredHinge"),
        "dice": KerasClass("Dice", {"axis": _AXIS}),
        "tversky": KerasClass(
            "Tversky", {"alpha": Argument(0.5, "[0, inf)"), "beta": Argument(0.5, "[0, inf)"), "axis": _AXIS}
        ),
        "mean_squared_error": KerasClass("MeanSquaredError"),
        "mean_absolute_error": KerasClass("MeanAbsoluteError"),
        "huber": KerasClass("Huber", {"delta": Argument(1.0, "(0, inf)")}),
        "log_cosh": KerasClass("LogCosh"),
        "cosine_similarity": KerasClass("CosineSimilarity"),
        "mean_absolute_percentage_error": KerasClass("MeanAbsolutePercentageError"),
        "mean_squared_logarithmic_error": KerasClass("MeanSquaredLogarithmicError"),
        "poisson": KerasClass("Poisson"),
    },
    aliases={
        "mse": "mean_squared_error",
        "mae": "mean_absolute_error",
        "mape": "mean_absolute_percentage_error",
        "msle": "mean_squared_logarithmic_error",
        "bce": "binary_crossentropy",
        "kld": "kl_divergence",
    },
    refused={
        "ctc": "it compares sequences of labels, which no task here has; name another",
        "circle": "it compares the rows of a batch with one another, so no example has a loss of its own; name another",
        "loss": "it is the base class of all losses; name one, such as huber",
    },
    elsewhere={
        "from_logits": "the loss receives the model's outputs, which are probabilities; leave it out",
        "reduction": "the mean over the examples is minimized; leave it out",
        "name": "a run needs no name for its loss; leave it out",
        "dtype": "losses are computed in float32; leave it out",
        "axis": "the outputs are the last axis; leave it out",
        "ignore_class": "every class counts; leave rows of no class out of the data",
    },
)
"""The losses by name."""

_ANY_NUMBERS = ("mean_squared_error", "mean_absolute_error", "huber", "log_cosh", "cosine_similarity")

_OF_LABELS = (
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "hinge",
    "squared_hinge",
    "dice",
    "tversky",
    *_ANY_NUMBERS,
    "poisson",
)

LOSSES_OF_TASKS = {
    "classification": (
        "categorical_crossentropy",
        "sparse_categorical_crossentropy",
        "categorical_focal_crossentropy",
        "categorical_generalized_cross_entropy",
        "categorical_hinge",
        "kl_divergence",
        *_OF_LABELS,
    ),
    "multilabel": _OF_LABELS,
    "regression": (
        *_ANY_NUMBERS,
        "mean_absolute_percentage_error",
        "mean_squared_logarithmic_error",
        "poisson",
    ),
    "reconstruction": _ANY_NUMBERS,
}
"""The losses that mean something for each task's targets and outputs."""

_POSITIVE_ONLY = ("mean_absolute_percentage_error", "mean_squared_logarithmic_error", "poisson")


def read_loss(text: str) -> KerasText:
    """Return the loss that ``text`` describes, such as ``huber(delta=0.5)``.

    >>> str(read_loss("mae")), str(read_loss("huber(delta=1)"))
    ('mean_absolute_error', 'huber')

    Raises:
        InputError: with what is wrong: the name, an argument, a value, or a loss that no example has alone.
    """
    read = LOSSES.read(text)
    if "axis" in read.kind.arguments and "axis" not in read.given:
        raise InputError(
            f"{read.name}: Keras computes it over the whole batch at once, and regularizers act on the loss of each "
            f"example; write {read.name}(axis=-1), the loss of each example"
        )
    return read


def check_loss(text: str, task: Task) -> None:
    """Check that a loss fits the targets and the outputs of ``task``.

    Raises:
        InputError: with the losses that do.
    """
    name, allowed = read_loss(text).name, LOSSES_OF_TASKS[task.kind]
    if task.kind != "classification":
        standardized = task.kind == "regression" and task.scale != 1.0
        allowed = tuple(one for one in allowed if not (standardized and one in _POSITIVE_ONLY))
        allowed = tuple(one for one in allowed if not (task.size == 1 and one in _SEVERAL))
    if name in allowed:
        return
    reason = ""
    if task.kind == "regression" and name in _POSITIVE_ONLY:
        reason = f" ({_SCALED})"
    if name in _SEVERAL and task.size == 1:
        reason = f" ({_SEVERAL[name]})"
    hint = did_you_mean(name, allowed)
    near = hint if "Did you mean" in hint else ""
    raise InputError(f"{name} is no loss for {task.kind}{reason}, which takes {', '.join(allowed)}.{near}")


_SEVERAL = {
    "cosine_similarity": "of one output, only the sign would count",
    "dice": "of one label alone it cannot tell right from wrong where the label is absent",
    "tversky": "of one label alone it cannot tell right from wrong where the label is absent",
}
"""Losses that need several outputs, and why."""
