"""Nested recipes: those whose search space holds the baseline's point.

Such a recipe can always be chosen to do nothing. Where its search nevertheless ended at a point worse than the
baseline, the search was unlucky, and the regularizer is not to blame: the comparison calls that a tie.
"""

from __future__ import annotations

from regzoo.core import Choice, Float, Int, PerRun, Range, Recipe, Regularizer
from regzoo.core.augmentation import makes_copies
from regzoo.core.fields import StrengthSpec
from regzoo.core.older_ranges import OLDER

IN_EFFECT = 1e-3
"""A strength on a logarithmic scale, on which no search can draw zero, does nothing in effect if it is at most this
share of the largest value that its declaration searches.

Measured at this share (digits, 500 training images of which a fifth have wrong labels, mlp([128, 128]), 30 epochs,
learning rate 0.002, mean paired gain over the baseline with five seeds, in sd of the baseline, one standard error about
0.4): gradient_noise -0.1, l1_l2 0.0, activity_l1 0.0, weight_decay 0.0, l2 0.1, orthogonal 0.1, activity_l2 0.1,
group_lasso 0.1, l1 0.1, decov 0.5, jacobian 0.6, kl_sparsity 0.9. So none loses there; the last three may already help.
"""


def nests_baseline(recipe: Recipe) -> bool:
    """Return True if the search space of ``recipe`` holds a point at which it is the baseline, exactly or in effect.

    Each of its strengths must be able to take its neutral value: be that number, have it in its range or choice, or, on
    a logarithmic scale whose neutral value is 0, have a range that begins at `IN_EFFECT` of the largest value that the
    declaration searches, or lower. It is not the ratio of the range's own ends: ``l2(0.001..1)`` spans as much as
    ``l2(1e-05..0.01)``, but is never weak. A range of decays, where the declaration of `weight_decay` is relative to
    the run, is measured by the one that earlier versions searched.

    A schedule, a regularizer without strengths, and one that changes the model or the training at every strength, such
    as one with copies of the rows, do not nest. The baseline itself has no regularizer that could fail, and nests.

    >>> from regzoo.core import parse
    >>> [nests_baseline(parse(text)) for text in ("l2", "dropout", "dropout(0..0.5) + l2", "l2(0.001..1)")]
    [True, False, True, False]
    """
    return all(_reaches_baseline(regularizer) for _, regularizer in recipe.items())


def _reaches_baseline(regularizer: Regularizer) -> bool:
    strengths = regularizer.strengths()
    return (
        bool(strengths)
        and not makes_copies(regularizer)
        and all(
            _reaches_neutral(getattr(regularizer, field), spec, _find_searched(regularizer, field))
            for field, spec in strengths.items()
        )
    )


def _find_searched(regularizer: Regularizer, field: str) -> Range:
    """Return the range that the declaration searches, in units of what is given."""
    searched, given = regularizer.strengths()[field].range, getattr(regularizer, field)
    relative = isinstance(searched, PerRun) and not isinstance(given, PerRun)
    return OLDER.get(f"{regularizer.name}.{field}", searched) if relative else searched


def _reaches_neutral(value: object, spec: StrengthSpec, searched: Range) -> bool:
    if spec.neutral is None:
        return False
    if isinstance(value, Choice):
        return spec.neutral in value.options
    if isinstance(value, Float | Int):
        if value.low <= spec.neutral <= value.high:
            return True
        return spec.log and spec.neutral == 0 and value.low <= IN_EFFECT * max(searched.values()) * (1 + 1e-9)
    return value == spec.neutral
