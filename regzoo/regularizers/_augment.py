"""What the regularizers that alter the training batch share: partners, hidden parts, and whom they do not go with."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from regzoo.core import Regularizer, Tensor
from regzoo.core.lazy import keras

AUGMENTATIONS = frozenset({"mixup", "cutmix", "cutout", "adversarial"})


def clash(name: str, others: Sequence[Regularizer], softening: Collection[str] = ()) -> str | None:
    """What is doubtful about ``name`` after ``others``: a second augmentation, or labels softened a second time.

    Args:
        name: of the regularizer that asks.
        others: the regularizers of the recipe before it.
        softening: the names of those that soften the labels as it does.
    """
    before = [other.name for other in others]
    soft = [other for other in before if other in softening]
    augmenting = [other for other in before if name in AUGMENTATIONS and other in AUGMENTATIONS]
    found = []
    if soft:
        found.append(f"{' and '.join([*soft, name])} soften the labels twice: predictions may become too unsure")
    if augmenting:
        found.append(
            f"{' and '.join([*augmenting, name])} alter the same inputs one after the other: "
            "one augmentation a recipe (Kadra 2021)"
        )
    return "; ".join(found) or None


def partners(batch: Tensor, seed: keras.random.SeedGenerator) -> Tensor:
    """A random permutation of the batch, as row numbers (batch,): each example's partner, now and then itself."""
    return keras.random.shuffle(keras.ops.arange(keras.ops.shape(batch)[0]), seed=seed)


def hidden(x: Tensor, share: Tensor, seed: keras.random.SeedGenerator) -> Tensor:
    """A random part of each example: 1 inside, 0 outside, shaped to broadcast over x.

    In images it is a box of ``share`` of the area around a random pixel, cut off at the border; in rows it is
    ``share`` of the columns, and in sequences of the steps. A share of a pixel or of a column is rounded up
    or down at random, so that the mean is right even where the parts are few. Share 0 hides nothing.

    Args:
        x: images (batch, height, width, channels) or rows (batch, columns, ...).
        share: in [0, 1], a scalar or (batch, 1).
        seed: the stream to draw from.

    Returns:
        (batch, height, width, 1) or (batch, columns, 1, ...).
    """
    shape = keras.ops.shape(x)
    if len(x.shape) == 4:
        side = keras.ops.sqrt(share)
        rows = _stretch(shape[0], shape[1], side, seed)  # (batch, height)
        columns = _stretch(shape[0], shape[2], side, seed)  # (batch, width)
        return rows[:, :, None, None] * columns[:, None, :, None]
    order = keras.ops.argsort(keras.random.uniform((shape[0], shape[1]), seed=seed))
    rank = keras.ops.cast(keras.ops.argsort(order), "float32")  # of each column among the columns
    chosen = keras.ops.cast(rank < _count(shape[0], shape[1], share, seed), "float32")
    return keras.ops.reshape(chosen, (shape[0], shape[1], *[1] * (len(x.shape) - 2)))


def _stretch(batch: Tensor, length: int, share: Tensor, seed: keras.random.SeedGenerator) -> Tensor:
    """1 within a stretch around a random place, cut off at both ends, else 0: (batch, length)."""
    count = _count(batch, length, share, seed)
    place = keras.ops.floor(length * keras.random.uniform((batch, 1), seed=seed))
    start = place - keras.ops.floor(count / 2.0)
    position = keras.ops.arange(length, dtype="float32")
    return keras.ops.cast((position >= start) & (position < start + count), "float32")


def _count(batch: Tensor, length: int, share: Tensor, seed: keras.random.SeedGenerator) -> Tensor:
    """``share`` of ``length`` as a whole number, its fraction being the probability of one more: (batch, 1)."""
    return keras.ops.floor(share * length + keras.random.uniform((batch, 1), seed=seed))
