"""Seeds are derived from the names of random streams alone."""

from __future__ import annotations

import itertools

import numpy as np

from regzoo.core.seeds import derive, generator


def test_a_known_seed_never_changes() -> None:
    # Pinned: were it to change, every comparison on disk could no longer be continued or repeated.
    assert derive(0, "dropout", "activation", 1) == 488132990
    assert derive(0) == 436422930


def test_every_word_of_the_name_counts() -> None:
    names = list(itertools.product(range(8), ("order", "stream"), ("dropout", "l2"), range(8)))
    assert len({derive(*name) for name in names}) == len(names)
    assert derive(1, 23) != derive(12, 3)
    assert derive("a", "b") != derive("ab") != derive("b", "a")


def test_seeds_are_31_bits_and_every_bit_is_used() -> None:
    seeds = np.array([derive(0, "stream", number) for number in range(4000)])
    assert seeds.min() >= 0
    assert seeds.max() < 2**31
    ones = ((seeds[:, None] >> np.arange(31)) & 1).mean(axis=0)
    # A fair bit's mean over n draws has a standard error of 1 / (2 sqrt n); 5 of them, for 31 bits.
    assert np.abs(ones - 0.5).max() < 5 / (2 * np.sqrt(len(seeds)))


def test_neighboring_streams_are_independent() -> None:
    n = 10_000
    first, second = (generator(0, "order", epoch).standard_normal(n) for epoch in (0, 1))
    # The correlation of independent draws has a standard error of 1 / sqrt n.
    assert abs(np.corrcoef(first, second)[0, 1]) < 5 / np.sqrt(n)
    assert np.array_equal(first, generator(0, "order", 0).standard_normal(n))
