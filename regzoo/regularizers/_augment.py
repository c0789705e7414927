"""Helpers of batch augmentations: random partners, random masks, warnings about combinations."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from regzoo.core import Regularizer, Tensor
from regzoo.core.cells import Cells, count_cells
from regzoo.core.lazy import keras

AUGMENTATIONS = frozenset({"mixup", "cutmix", "cutout", "adversarial"})
"""Regularizers that change the inputs; a recipe should have one at most."""


def warn_augmentation(name: str, others: Sequence[Regularizer], softening: Collection[str] = ()) -> str | None:
    """Return a warning about a second augmentation, or about labels that are softened twice, or None.

    Args:
        name: name of a regularizer.
        others: the recipe's regularizers before it.
        softening: names of other regularizers that soften the labels.
    """
    before = [other.name for other in others]
    soft = [other for other in before if other in softening]
    augmenting = [other for other in before if name in AUGMENTATIONS and other in AUGMENTATIONS]
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
