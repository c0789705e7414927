"""The loss that no prediction can beat, by hand; `test_pairs` compares the entropies with Beta's and NumPy's."""

from __future__ import annotations

import math

import pytest

from regzoo.core import parse
from regzoo.regularizers._label_entropy import bound_loss, compute_mixed_entropy


@pytest.mark.parametrize(
    ("recipe", "nats"),
    [
        ("label_smoothing(0.2)", -0.1 * math.log(0.1) - 0.9 * math.log(0.9)),
        ("label_noise(0.3)", -0.15 * math.log(0.15) - 0.85 * math.log(0.85)),
        ("mixup(1.0)", 1 / 4),  # half of the partners have the other label; an entropy of 1/2 for a uniform share
        ("cutmix(0.4)", 0.4 / 4),
        ("mixup_or_cutmix(0.4, alpha=1.0)", 0.4 / 4),
        ("label_smoothing(linear(0.1, 0.2, epochs=3))", -0.1 * math.log(0.1) - 0.9 * math.log(0.9)),
        ("dropout(0.5)", 0.0),
    ],
)
def test_by_hand(recipe: str, nats: float) -> None:
    (regularizer,) = parse(recipe)
    assert bound_loss(regularizer) == pytest.approx(nats, abs=1e-6)


def test_either_of_two_mixtures_counts_by_its_share() -> None:
    (rarely, often) = (
        parse(f"mixup_or_cutmix(0.5, alpha=0.3, switch={switch})").regularizers[0] for switch in (0.2, 0.9)
    )
    mixed = compute_mixed_entropy(0.3)
    assert bound_loss(rarely) == pytest.approx(0.5 * (0.2 * 0.5 + 0.8 * mixed) / 2, abs=1e-6)
    assert bound_loss(often) == pytest.approx(0.5 * (0.9 * 0.5 + 0.1 * mixed) / 2, abs=1e-6)


def test_without_end_all_are_mixed_in_halves() -> None:
    assert compute_mixed_entropy(math.inf) == pytest.approx(math.log(2))
