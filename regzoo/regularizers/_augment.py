"""Helpers of batch augmentations: random partners, random masks, warnings about combinations."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from regzoo.core import Regularizer, Tensor
from regzoo.core.cells import Cells, count_cells, spread
from regzoo.core.lazy import keras

AUGMENTATIONS = frozenset({"mixup", "cutmix", "mixup_or_cutmix", "cutout", "adversarial"})
"""Regularizers that change the inputs; a recipe should have one at most."""

HIDING = frozenset({"cutout", "random_erasing"})
"""Regularizers that hide boxes. Random erasing goes with mixup and cutmix, as in torchvision's and timm's recipes."""

MIXING = frozenset({"mixup", "cutmix", "mixup_or_cutmix"})
"""Regularizers that soften the labels by mixing examples."""


def warn_augmentation(name: str, others: Sequence[Regularizer], softening: Collection[str] = ()) -> str | None:
    """Return a warning about a second augmentation, or about labels that are softened twice, or None.

    Args:
        name: name of a regularizer.
        others: the recipe's regularizers before it.
        softening: names of other regularizers that soften the labels.
    """
    before = [other.name for other in others]
    soft = [other for other in before if other in softening]
    groups = [group for group in (AUGMENTATIONS, HIDING) if name in group]
    augmenting = [other for other in before if any(other in group for group in groups)]
    found = []
    if soft:
        found.append(f"{' and '.join([*soft, name])} soften the labels twice: predictions may become underconfident")
    if augmenting:
        found.append(
            f"{' and '.join([*augmenting, name])} alter the same inputs one after the other: "
            "one augmentation a recipe (Kadra 2021)"
        )
    return "; ".join(found) or None


def draw_partners(batch: Tensor, seed: keras.random.SeedGenerator) -> Tensor:
    """Return a random permutation of the batch as row numbers (batch,); an example may be its own partner."""
    return keras.random.shuffle(keras.ops.arange(keras.ops.shape(batch)[0]), seed=seed)


def draw_mixture_weights(batch: Tensor, alpha: Tensor, seed: keras.random.SeedGenerator) -> Tensor:
    """Draw max(l, 1 - l), l ~ Beta(alpha, alpha), for each of ``batch`` examples: (batch,), in [1/2, 1]; 1 at alpha 0.

    Beta is G / (G + G') with G, G' ~ Gamma(alpha). These underflow at small alpha, so their logarithms are drawn:
    Gamma(alpha) is Gamma(alpha + 1) times U^(1 / alpha).
    """

    def log_gamma() -> Tensor:
        gamma = keras.random.gamma((batch,), alpha + 1.0, seed=seed)
        exponential = -keras.ops.log1p(-keras.random.uniform((batch,), seed=seed))
        return keras.ops.log(gamma) - exponential / keras.ops.maximum(alpha, keras.config.epsilon())

    folded = keras.ops.sigmoid(keras.ops.abs(log_gamma() - log_gamma()))
    return keras.ops.where(keras.ops.greater(alpha, 0.0), folded, 1.0)


def average(
    values: Tensor,
    partner: Tensor,
    weights: Tensor,
    seed: keras.random.SeedGenerator | None = None,
    cells: Cells | None = None,
) -> Tensor:
    """Return the weighted averages of examples and their partners; of ``cells`` without an average, one is drawn.

    Args:
        values: inputs or targets, (batch, ...).
        partner: row numbers (batch,).
        weights: weight of the example itself, (batch,); 1 leaves it as it is, bit for bit.
        seed: random stream, which draws only with ``cells``, and is then required.
        cells: of rows, which columns hold one value.
    """
    weight = keras.ops.reshape(weights, (-1, *[1] * (len(values.shape) - 1)))
    other = keras.ops.take(values, partner, axis=0)
    mixed = weight * values + (1.0 - weight) * other
    if cells is None:
        return mixed
    kept = cells.spread(keras.random.uniform((keras.ops.shape(values)[0], cells.count), seed=seed) < weight)
    both = keras.ops.logical_and(cells.find_numbers(values), cells.find_numbers(other))
    return keras.ops.where(both, mixed, keras.ops.where(kept, values, other))


def draw_region(
    x: Tensor, share: Tensor, seed: keras.random.SeedGenerator, cells: Cells | None = None
) -> tuple[Tensor, Tensor]:
    """Return where a random region of each example lies, see `draw_mask`, and the fraction outside of it.

    Returns:
        Booleans of a shape that broadcasts over x, and (batch,).
    """
    mask = draw_mask(x, share, seed, cells)
    inside = keras.ops.mean(keras.ops.reshape(mask, (keras.ops.shape(mask)[0], -1)), axis=1)
    return spread(mask, cells) > 0.0, 1.0 - inside


def draw_mask(x: Tensor, share: Tensor, seed: keras.random.SeedGenerator, cells: Cells | None = None) -> Tensor:
    """Return a mask of a random region of each example: 1 inside, 0 outside, of a shape that broadcasts over x.

    With ``cells`` it is a mask of these, for `regzoo.core.cells.spread`.

    In images the region is a box of ``share`` of the area around a random pixel, clipped at the border; in rows it is
    ``share`` of the columns (or cells), and in sequences of the steps. Fractions of a pixel or a column are rounded up
    or down at random, so that the mean is right even for few columns. Share 0 gives an empty region.

    Args:
        x: images (batch, height, width, channels) or rows (batch, columns, ...).
        share: fraction in [0, 1], a scalar or (batch, 1).
        seed: random stream.
        cells: of rows, which columns hold one value.

    Returns:
        (batch, height, width, 1) or (batch, columns, 1, ...); with ``cells`` (batch, cells).
    """
    shape = keras.ops.shape(x)
    if len(x.shape) == 4:
        side = keras.ops.sqrt(share)
        rows = _draw_interval(shape[0], shape[1], side, seed)  # (batch, height)
        columns = _draw_interval(shape[0], shape[2], side, seed)  # (batch, width)
        return rows[:, :, None, None] * columns[:, None, :, None]
    length = count_cells(x, cells)
    order = keras.ops.argsort(keras.random.uniform((shape[0], length), seed=seed))
    rank = keras.ops.cast(keras.ops.argsort(order), keras.config.floatx())  # of each column among the columns
    chosen = keras.ops.cast(rank < _draw_count(shape[0], length, share, seed), keras.config.floatx())
    return keras.ops.reshape(chosen, (shape[0], length, *[1] * (len(x.shape) - 2)))


def _draw_interval(batch: Tensor, length: int, share: Tensor, seed: keras.random.SeedGenerator) -> Tensor:
    """Return 1 within an interval around a random position, clipped at both ends, else 0: (batch, length)."""
    count = _draw_count(batch, length, share, seed)
    center = keras.ops.floor(length * keras.random.uniform((batch, 1), seed=seed))
    start = center - keras.ops.floor(count / 2.0)
    position = keras.ops.arange(length, dtype=keras.config.floatx())
    return keras.ops.cast((position >= start) & (position < start + count), keras.config.floatx())


def _draw_count(batch: Tensor, length: int, share: Tensor, seed: keras.random.SeedGenerator) -> Tensor:
    """Return ``share`` of ``length``, rounded up with its fractional part as probability: (batch, 1)."""
    return keras.ops.floor(share * length + keras.random.uniform((batch, 1), seed=seed))
