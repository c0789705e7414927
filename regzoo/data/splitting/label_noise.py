"""Label noise: make a share of the training labels wrong."""

from __future__ import annotations

from regzoo.core.seeds import generator
from regzoo.data.dataset import Array


def flip_labels(codes: Array, share: float, classes: int, seed: int) -> Array:
    """Return ``codes`` (n,) with ``round(share * n)`` of them replaced by a different class, drawn uniformly.

    The stream is called ``label_noise``.
    """
    random = generator(seed, "label_noise")
    order = random.permutation(len(codes))
    shifts = random.integers(1, classes, size=len(codes))  # never a multiple of classes, so never the same class
    chosen = order[: round(share * len(codes))]
    noisy = codes.copy()
    noisy[chosen] = (codes[chosen] + shifts[chosen]) % classes
    return noisy
