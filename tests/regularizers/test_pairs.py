"""Clashes of two regularizers: those that are declared, their reasons measured, and pairs that go well together."""

from __future__ import annotations

import itertools
import math
from typing import Any

import keras
import numpy as np
import pytest
from scipy.special import digamma
from scipy.stats import entropy

import regzoo
from regzoo.core import parse, regularizers
from regzoo.regularizers._label_entropy import bound_loss, compute_entropy, compute_mixed_entropy
from regzoo.testing.harness import fix_strengths

NORMALIZATIONS = ("batch_norm", "layer_norm", "group_norm")
PAIRS = {
    ("flooding", "label_smoothing"): "flooding cannot act below that",
    ("flooding", "label_noise"): "flooding cannot act below that",
    ("flooding", "mixup"): "flooding cannot act below that",
    ("flooding", "cutmix"): "flooding cannot act below that",
    ("flooding", "mixup_or_cutmix"): "flooding cannot act below that",
    ("flooding", "confidence_penalty"): "reverses the training from the start",
    ("confidence_penalty", "label_smoothing"): "both keep predictions from certainty",
    ("confidence_penalty", "label_noise"): "both keep predictions from certainty",
    ("label_noise", "label_smoothing"): "softens the labels as well",
    ("label_noise", "mixup"): "softens the labels as well",
    ("label_noise", "cutmix"): "softens the labels as well",
    ("label_noise", "mixup_or_cutmix"): "softens the labels as well",
    ("label_noise", "focal"): "given wrong labels",
    ("l1_l2", "l1"): "the two add up",
    ("l1_l2", "l2"): "the two add up",
    ("weight_decay", "l2"): "both shrink the same weights",
    ("weight_decay", "l1_l2"): "both shrink the same weights",
    ("weight_decay", "elastic_net"): "both shrink the same weights",
    **{
        ("l2_sp", name): "pulls weights to where they started"
        for name in (
            *("l1", "l2", "l1_l2", "elastic_net", "proximal_l1", "weight_decay"),
            *("group_lasso", "proximal_group_lasso"),
        )
    },
    **{
        (name, "weight_standardization"): "takes the mean away"
        for name in ("proximal_l1", "elastic_net", "proximal_group_lasso")
    },
    **{("proximal_l1", name): "penalize the same" for name in ("l1", "l1_l2")},
    **{("elastic_net", name): "penalize the same" for name in ("l1", "l2", "l1_l2", "proximal_l1")},
    ("proximal_group_lasso", "group_lasso"): "penalize the same",
    **dict.fromkeys(
        itertools.product(("proximal_l1", "elastic_net", "proximal_group_lasso"), ("ema", "swa", "lookahead")),
        "hardly any zero",
    ),
    **{("weight_standardization", name): "undoes" for name in ("max_norm", "unit_norm", "spectral_norm")},
    ("unit_norm", "l2"): "restores after each step",
    ("unit_norm", "weight_decay"): "restores after each step",
    ("unit_norm", "max_norm"): "only one holds",
    ("unit_norm", "spectral_norm"): "only one holds",
    ("spectral_norm", "l2"): "restores after each step",
    ("spectral_norm", "weight_decay"): "restores after each step",
    ("spectral_norm", "max_norm"): "does nothing to kernels",
    ("dropconnect", "batch_norm"): "shifts the variance",
    **dict.fromkeys(itertools.product(("activity_l1", "activity_l2", "decov"), NORMALIZATIONS), "undoes the scale"),
}


@pytest.mark.parametrize("pair", PAIRS, ids=" + ".join)
def test_the_clashes_of_pairs_are_told_once_in_either_order(pair: tuple[str, str]) -> None:
    for order in (pair, pair[::-1]):
        (sentence,) = parse(" + ".join(order)).clashes()
        assert PAIRS[pair] in sentence


def test_no_other_pair_of_the_catalog_says_so() -> None:
    kinds = {name: kind() for name, kind in regularizers().items()}
    for one, other in itertools.permutations(kinds, 2):
        assert bool(kinds[one].warn_pair(kinds[other])) == ((one, other) in PAIRS), (one, other)


def test_zeros_of_a_standardized_kernel_are_not_what_its_layer_computes_with() -> None:
    kernel = np.array([[0.0], [0.0], [0.3], [0.1]], np.float32)
    model = regzoo.build("linear", "proximal_l1(0.1) + weight_standardization", (4,), outputs=1)
    model.get_layer("head").set_weights([kernel, np.zeros(1)])
    used = model(np.eye(4, dtype=np.float32)).numpy()
    assert np.abs(used[:2]).min() > 0.3  # (0 - 0.1) / sqrt(0.06) = -0.41


@pytest.mark.parametrize(
    "recipe",
    [
        "dropout(0.3) + gaussian_noise(0.1)",
        "dropout(0.3) + dropconnect(0.1)",
        "dropout(0.3) + input_dropout(0.1) + activation_noise(0.1) + stochastic_depth(0.1)",
        "attention_dropout(0.1) + dropout(0.1) + label_smoothing(0.1) + weight_decay(0.01)",
        "l1(0.001) + l2(0.001)",
        "l1(0.001) + weight_decay(0.01)",
        "max_norm(3.0) + l2(0.001)",
        "spectral_norm + max_norm(0.5)",
        "sam(0.05) + gradient_noise(0.01)",
        "sam(0.05) + gradient_clip(1.0) + ema(0.99)",
        "flooding(0.05) + focal(2.0)",
        "flooding(0.05) + dropout(0.5) + gaussian_noise(0.1)",
        "flooding(0.2) + label_smoothing(0.01)",
        "flooding(0.0) + label_smoothing(0.1)",
        "flooding(0.1) + label_smoothing(0.0)",
        "flooding(0.05) + confidence_penalty(0.1)",
        "l2(0.01, on=conv) + weight_decay(0.01, on=dense)",
        "batch_norm(0.9, on=conv) + activity_l1(0.001, on=dense)",
        "dropconnect(0.1, on=last) + batch_norm(0.9)",
        "batch_norm(0.9) + l2(0.001)",
        "batch_norm(0.9) + weight_decay(0.01)",
        "proximal_l1(0.01) + proximal_group_lasso(0.01) + l2(0.001)",
        "group_norm + weight_standardization(on=conv) + weight_decay(0.01)",
    ],
)
def test_these_go_well_together(recipe: str) -> None:
    assert parse(recipe).clashes() == []


def test_sam_climbs_along_noise_that_is_written_first() -> None:
    (sentence,) = parse("gradient_noise(0.1) + sam(0.05)").clashes()
    assert "write sam first" in sentence


@pytest.mark.parametrize("eps", [0.01, 0.1, 0.3])
@pytest.mark.parametrize("name", ["label_smoothing", "label_noise"])
def test_no_prediction_beats_smoothed_labels(name: str, eps: float) -> None:
    """The lowest loss is the entropy of the labels: by scipy, for two classes, and higher for more."""
    (regularizer,) = parse(f"{name}({eps})")
    entropies = [entropy([1 - eps + eps / k, *[eps / k] * (k - 1)]) for k in (2, 3, 10, 100)]
    assert bound_loss(regularizer) == pytest.approx(entropies[0])
    assert entropies == sorted(entropies)
    p = np.linspace(0.001, 0.999, 999)
    losses = -(1 - eps / 2) * np.log(p) - eps / 2 * np.log(1 - p)
    assert losses.min() == pytest.approx(entropies[0], abs=1e-4)


@pytest.mark.parametrize("alpha", [0.0, 0.1, 0.2, 1.0, 5.0, 1e4])
def test_the_entropy_of_mixed_labels_is_its_mean_over_beta(alpha: float) -> None:
    assert compute_mixed_entropy(alpha) == pytest.approx(digamma(2 * alpha + 1) - digamma(alpha + 1), abs=1e-6)
    if 0 < alpha < 1e4:
        shares = np.random.default_rng(0).beta(alpha, alpha, 200_000)
        values = entropy(np.stack([shares, 1 - shares]))
        tolerance = 5 * values.std() / math.sqrt(len(values))
        assert compute_mixed_entropy(alpha) == pytest.approx(values.mean(), abs=tolerance)
    assert compute_entropy(0.5) == pytest.approx(math.log(2))
    assert compute_entropy(0.0) == compute_entropy(1.0) == 0.0


@pytest.mark.parametrize(
    ("recipe", "clashes"),
    [
        ("label_smoothing(0.1) + flooding(0.19)", True),  # 0.1985 nats
        ("label_smoothing(0.1) + flooding(0.2)", False),
        ("mixup(1.0) + flooding(0.25)", True),  # 1/4
        ("mixup(1.0) + flooding(0.26)", False),
        ("cutmix(0.5) + flooding(0.12)", True),  # 1/8
        ("cutmix(0.5) + flooding(0.13)", False),
        ("label_smoothing(linear(0.1, 0.0, epochs=9)) + flooding(0.19)", True),
        ("confidence_penalty(0.9) + flooding(0.07)", True),  # 0.1 log 2 = 0.0693
        ("confidence_penalty(0.9) + flooding(0.06)", False),
        (f"confidence_penalty(0.5) + flooding({math.log(2) / 2!r})", True),  # equal
    ],
)
def test_flooding_clashes_where_the_loss_cannot_fall_below_its_level(recipe: str, clashes: bool) -> None:
    assert bool(parse(recipe).clashes()) == clashes


def test_flooding_beside_smoothed_labels_is_the_same_training(rows: Any) -> None:
    """At a level that the loss cannot reach, 200 steps end at the very same weights."""
    trained = []
    for recipe in ("label_smoothing(0.3)", "label_smoothing(0.3) + flooding(0.2)"):
        model = regzoo.build("mlp([16])", recipe, (5,), classes=3, optimizer=keras.optimizers.Adam(0.01))
        model.fit(*rows, epochs=50, batch_size=15, shuffle=False, verbose=0)
        trained.append(model.get_weights()[:4])
    assert all(map(np.array_equal, *trained))


@pytest.mark.parametrize("norm", ["batch_norm(0.9)", "layer_norm", "group_norm"])
def test_a_penalty_on_activations_is_free_where_the_next_layer_is_normalized(norm: str, rows: Any) -> None:
    """Scaled to a tenth, the first layer's activations make the same predictions and a tenth of the penalty."""
    model = regzoo.build("mlp([8, 8])", f"{norm} + activity_l1(1.0)", (5,), classes=3)
    scaling = next(layer for layer in model.layers if hasattr(layer, "gamma"))
    x = rows[0].astype(np.float32)
    found = []
    for scale in (1e4, 1e3):  # large, so that the 0.001 that is added to variances does not count
        scaling.gamma.assign(scale * np.ones_like(scaling.gamma.numpy()))
        logits = np.array(model.logits(x, training=True))
        found.append((logits, float(sum(model.losses))))
    np.testing.assert_allclose(found[0][0], found[1][0], atol=0.01)
    assert found[1][1] < 0.2 * found[0][1]


@pytest.mark.parametrize("restoring", ["unit_norm", "spectral_norm"])
def test_a_restored_scale_is_the_same_whatever_shrinks_it(restoring: str, rows: Any) -> None:
    norms = []
    for shrinking in ("", " + l2(0.1)", " + weight_decay(1.0)"):
        model = regzoo.build("mlp([8])", f"{restoring}{shrinking}", (5,), classes=3)
        model.fit(*rows, epochs=10, batch_size=15, shuffle=False, verbose=0)
        kernel = model.get_layer("dense_0").get_weights()[0]
        norms.append(np.linalg.norm(kernel, axis=0) if restoring == "unit_norm" else np.linalg.norm(kernel, 2))
    np.testing.assert_allclose(norms[1], norms[0], rtol=0.02)
    np.testing.assert_allclose(norms[2], norms[0], rtol=0.02)


def test_fixed_strengths_are_asked_too() -> None:
    """What is declared for ranges holds for the middle of each range as well, but for levels and limits."""
    kinds = {name: fix_strengths(kind()) for name, kind in regularizers().items()}
    for (one, other), reason in PAIRS.items():
        if one not in ("flooding", "spectral_norm"):
            assert reason in (kinds[one].warn_pair(kinds[other]) or "")
