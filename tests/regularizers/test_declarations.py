"""What each regularizer declares: where it is searched, from where it is neutral, what it needs, what it costs.

The search ranges are those of the papers and of well-known suites; a change of one changes what every search finds.
"""

from __future__ import annotations

from typing import Any

import pytest

from regzoo.core import regularizers

DECLARED = {
    "activation_noise": "stddev: Float(0.01, 0.5) from 0.0 in [0, inf)",
    "activity_l1": "strength: Float(1e-06, 0.01) from 0.0 in [0, inf) log",
    "activity_l2": "strength: Float(1e-06, 0.01) from 0.0 in [0, inf) log",
    "adversarial": "epsilon: Float(0.01, 0.5) from 0.0 in [0, inf); needs numbers; costs 2.33",
    "alpha_dropout": "rate: Float(0.05, 0.3) from 0.0 in [0, 1)",
    "attention_dropout": "rate: Float(0.05, 0.3) from 0.0 in [0, 1]",
    "batch_norm": "momentum: Float(0.9, 0.99) from None in [0, 1)",
    "classic_dropout": "rate: Float(0.05, 0.7) from 0.0 in [0, 1]",
    "concrete_dropout": (
        "entropy: Float(1e-05, 0.01) from None in [0, inf) log; "
        "prior: Float(1e-08, 0.0001) from None in [0, inf) log; start=0.1"
    ),
    "confidence_penalty": "beta: Float(0.1, 1.0) from 0.0 in [0, inf); needs classes",
    "cutmix": "rate: Float(0.1, 1.0) from 0.0 in [0, 1]; needs targets; mixes_targets=True",
    "cutout": "share: Float(0.05, 0.4) from 0.0 in [0, 1]; copies=0",
    "decov": "strength: Float(0.0001, 1.0) from 0.0 in [0, inf) log",
    "dropblock": "rate: Float(0.05, 0.25) from 0.0 in [0, 1]; block=7; needs images",
    "dropconnect": "rate: Float(0.05, 0.5) from 0.0 in [0, 1]",
    "dropout": "rate: Float(0.05, 0.7) from 0.0 in [0, 1]",
    "early_stopping": "patience: Int(3, 30) from None in [1, inf) fixed; min_delta=0.0",
    "elastic_net": "strength: Float(0.0001, 0.1) from 0.0 in [0, inf) log; l1_ratio=0.5",
    "ema": "decay: Float(0.9, 0.999) from 0.0 in [0, 1)",
    "embedding_dropout": "rate: Float(0.05, 0.3) from 0.0 in [0, 1]",
    "ensemble": "members: Int(2, 10) from 1 in [1, 1000] fixed",
    "flooding": "level: Float(0.0, 0.2) from 0.0 in [0, inf)",
    "focal": "gamma: Float(0.0, 5.0) from 0.0 in [0, inf); needs classes",
    "gaussian_dropout": "rate: Float(0.05, 0.7) from 0.0 in [0, 1)",
    "gaussian_noise": "stddev: Float(0.01, 0.5) from 0.0 in [0, inf); copies=0; needs numbers",
    "gradient_clip": "norm: Float(0.1, 5.0) from inf in (0, inf]",
    "gradient_noise": "eta: Float(0.001, 1.0) from 0.0 in [0, inf) log",
    "group_lasso": "strength: Float(1e-06, 0.01) from 0.0 in [0, inf) log",
    "group_norm": "groups=8",
    "input_dropout": "rate: Float(0.05, 0.3) from 0.0 in [0, 1]; copies=0",
    "jacobian": "strength: Float(0.001, 1.0) from 0.0 in [0, inf) log; needs numbers; costs 2",
    "kl_sparsity": "beta: Float(0.0001, 1.0) from 0.0 in [0, inf) log; rho=0.05",
    "l1": "strength: Float(1e-06, 0.01) from 0.0 in [0, inf) log",
    "l1_l2": "l1: Float(1e-06, 0.01) from 0.0 in [0, inf) log; l2: Float(1e-06, 0.01) from 0.0 in [0, inf) log",
    "l2": "strength: Float(1e-06, 0.01) from 0.0 in [0, inf) log",
    "l2_sp": "strength: Float(1e-06, 0.01) from 0.0 in [0, inf) log",
    "label_noise": "rate: Float(0.05, 0.3) from 0.0 in [0, 1]; needs classes",
    "label_smoothing": "eps: Float(0.01, 0.3) from 0.0 in [0, 1]; needs classes",
    "layer_norm": "",
    "layer_scale": "init: Float(0.0001, 0.1) from None in [0, 1] log steady",
    "lookahead": "k: Int(5, 10) from 1 in [1, inf) fixed; alpha: Float(0.5, 0.8) from 1.0 in [0, 1]",
    "max_norm": "limit: Float(0.5, 4.0) from inf in (0, inf]",
    "mc_dropout": "samples: Int(10, 100) from None in [1, inf) fixed; beside dropout(0.5)",
    "mixup": "alpha: Float(0.1, 1.0) from 0.0 in [0, inf); mixes_targets=True",
    "mixup_or_cutmix": (
        "rate: Float(0.1, 1.0) from 0.0 in [0, 1]; alpha=0.8; switch=0.5; needs targets; mixes_targets=True"
    ),
    "orthogonal": "strength: Float(0.001, 1.0) from 0.0 in [0, inf) log",
    "patch_dropout": "rate: Choice(0.1, 0.25, 0.5) from 0.0 in [0, 1) fixed; shortens=True",
    "proximal_group_lasso": "strength: Float(0.0001, 0.1) from 0.0 in [0, inf) log",
    "proximal_l1": "strength: Float(0.0001, 0.1) from 0.0 in [0, inf) log",
    "r_drop": "alpha: Float(1.0, 5.0) from 0.0 in [0, inf); needs classes; beside dropout(0.5); costs 2",
    "random_erasing": (
        "rate: Float(0.2, 0.8) from 0.0 in [0, 1]; copies=0; area=0.4; aspect=0.3; fill='noise'; needs images"
    ),
    "random_flip": (
        "factor: Float(0.1, 0.5) from 0.0 in [0, 1]; copies=0; axis='horizontal'; needs images; needs targets"
    ),
    "random_rotation": "degrees: Float(5.0, 30.0) from 0.0 in [0, 180]; copies=0; needs images; needs targets",
    "random_shift": "factor: Float(0.02, 0.2) from 0.0 in [0, 1]; copies=0; needs images; needs targets",
    "random_zoom": "factor: Float(0.05, 0.3) from 0.0 in [0, 1); copies=0; needs images; needs targets",
    "residual_dropout": "rate: Float(0.05, 0.3) from 0.0 in [0, 1]",
    "sam": "rho: Float(0.01, 0.2) from 0.0 in [0, inf); costs 2",
    "snapshot_ensemble": "cycles: Cycles(3, 6) from None in [1, inf) fixed; last=3; watches=False",
    "spatial_dropout": "rate: Float(0.05, 0.5) from 0.0 in [0, 1]",
    "spectral_norm": "",
    "stochastic_depth": "rate: Float(0.05, 0.5) from 0.0 in [0, 1]",
    "swa": "start: Float(0.5, 0.9) from 1.0 in [0, 1] fixed; watches=False",
    "swap_noise": "rate: Float(0.05, 0.3) from 0.0 in [0, 1]; copies=0; needs rows",
    "trivial_augment": "strength: Float(0.3, 1.0) from 0.0 in [0, 1]; copies=0; needs images; needs targets",
    "unit_norm": "",
    "weight_decay": "decay: PerRun(0.0007, 0.7) from 0.0 in [0, inf) log",
    "weight_noise": "stddev: Float(0.005, 0.1) from 0.0 in [0, inf) log",
    "weight_standardization": "",
}


def describe(kind: Any) -> str:
    """Return the strengths with range, neutral value and domain, the settings with their defaults, and the rest."""
    words = []
    for field, spec in kind().strengths().items():
        flags = {"log": spec.log, "fixed": not spec.dial, "steady": not spec.schedule}
        ends = f"{type(spec.range).__name__}{spec.range.values()}"
        where = f"{ends} from {spec.neutral} in {spec.domain.text}"
        words.append(" ".join([f"{field}: {where}", *filter(flags.get, flags)]))
    own = {name: value for name, value in vars(kind()).items() if name not in kind().strengths()}
    words += [f"{name}={value!r}" for name, value in own.items() if name not in ("on", "exclude")]
    words += [f"needs {word}" for word in sorted(kind.requires)]
    words += [f"beside {kind.requires_recipe}"] if kind.requires_recipe else []
    words += [f"costs {kind.cost:.3g}"] if kind.cost != 1.0 else []
    usual = {"mixes_targets": False, "watches": True, "shortens": False}
    words += [f"{flag}={getattr(kind, flag)}" for flag in usual if getattr(kind, flag, usual[flag]) != usual[flag]]
    return "; ".join(words)


@pytest.mark.parametrize("name", DECLARED)
def test_a_regularizer_declares_what_its_paper_and_the_zoo_say(name: str) -> None:
    assert describe(regularizers()[name]) == DECLARED[name]


def test_all_of_them_are_here() -> None:
    assert sorted(DECLARED) == sorted(regularizers())
