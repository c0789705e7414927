"""Adversarial training with the fast gradient sign method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from regzoo.core import Float, Forward, OnForward, Regularizer, Strength, Tensor, strength
from regzoo.core.batch_inputs import list_floats, replace_floats, select_numbers
from regzoo.core.lazy import keras, tf
from regzoo.regularizers._augment import warn_augmentation


@dataclass(frozen=True)
class Adversarial(OnForward):
    """Train on each example and on a copy whose inputs are changed a little so that the loss rises.

    Formula: (L(x) + L(x')) / 2, x' = x + epsilon sign(dL/dx); no gradient flows through x' into the weights.
    Inputs are standardized, so ``epsilon`` is in units of an input's own standard deviation, and x' is not
    clipped, since standardized inputs have no fixed range.

    Numbers alone are changed. Categories and booleans, columns of 0 and 1, have no small change that leaves them what
    they are, and stay; so do numbers that are missing.

    Helps against small shifts of the inputs; large epsilon costs accuracy on clean ones. Dropout draws a new mask for
    x', and batch norm uses both batches. At epsilon 0 the second pass is left out, so the result is the baseline's bit
    for bit in any recipe.

    Cost: two passes, and before them the gradient with respect to the inputs, a third of a pass.

    Args:
        epsilon: largest change of an input, in [0, inf); 0 does nothing.

    Raises:
        InputError: if ``epsilon`` is negative; when the model is built, if its inputs are categories and booleans
            alone.

    Reference: Goodfellow et al. 2015 [goodfellow2015], https://arxiv.org/abs/1412.6572

    >>> from regzoo.regularizers import Adversarial
    >>> print(Adversarial(0.1))
    adversarial(0.1)
    """

    requires: ClassVar[frozenset[str]] = frozenset({"numbers"})
    cost: ClassVar[float] = 7 / 3

    epsilon: Strength = strength(Float(0.01, 0.5), neutral=0.0, domain="[0, inf)")

    def forward(self, run: Forward, x: Tensor, y: Tensor, seed: keras.random.SeedGenerator) -> tuple[Tensor, Tensor]:
        """Return the logits at x, and the mean loss of x and x'; of several inputs, all floats are changed."""
        x = keras.tree.map_structure(tf.convert_to_tensor, x)
        floats = list_floats(x)
        with tf.GradientTape() as tape:
            tape.watch(floats)
            logits, clean = run(x, y)
        gradients = tape.gradient(clean, floats, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        selected = select_numbers(gradients, x, run.cells)
        uphill = [keras.ops.stop_gradient(keras.ops.sign(gradient)) for gradient in selected]

        def average_losses() -> Tensor:
            moved = [values + self.epsilon * step for values, step in zip(floats, uphill, strict=True)]
            return (clean + run(replace_floats(x, moved), y)[1]) / 2.0

        return logits, tf.cond(keras.ops.greater(self.epsilon, 0.0), average_losses, lambda: clean)

    def warn_recipe(self, others: Sequence[Regularizer]) -> str | None:
        """Warn about a second augmentation."""
        return warn_augmentation(self.name, others)
